// Pooling over windows of the last two dimensions; sizes, padding and ties as in PyTorch.
import averagePool2d from '@mien/shaders/pool/averagePool2d.wgsl';
import halvePool2d from '@mien/shaders/pool/halvePool2d.wgsl';
import halvePool2dGradient from '@mien/shaders/pool/halvePool2dGradient.wgsl';
import maxPool2dText from '@mien/shaders/pool/maxPool2d.wgsl';
import maxPool2dGradientText from '@mien/shaders/pool/maxPool2dGradient.wgsl';
import { expectBoolean, expectOptions, expectPair } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { declareAlgorithms, roundUpToPowerOfTwo, type Tuning } from '../runtime/algorithms.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitRows } from '../runtime/split.ts';
import type { Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { full } from './create.ts';
import { gather } from './gather.ts';
import { area, type Shape, type Size2d, show } from './geometry.ts';
import { byLength, formFor } from './longSum.ts';
import { where } from './where.ts';

/** Windows of `maxPool2d` and `avgPool2d`. */
interface WindowOptions {
  readonly kernelSize: Size2d;
  /** Default: the size of the window. */
  readonly stride?: Size2d;
  /** At most half the window. Default 0. */
  readonly padding?: Size2d;
  /** Keep a last window that extends over the edge, if it starts inside. Default false. */
  readonly ceilMode?: boolean;
}

export interface MaxPool2dOptions extends WindowOptions {
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: Size2d;
}

export interface AvgPool2dOptions extends WindowOptions {
  /** Divide by the window's size, padding included, instead of by its elements inside x. Default true. */
  readonly countIncludePad?: boolean;
}

const windowOptions = ['kernelSize', 'stride', 'padding', 'ceilMode'];
const maxPool2dOptions = [...windowOptions, 'dilation'];
const avgPool2dOptions = [...windowOptions, 'countIncludePad'];

interface Geometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly window: Shape;
  readonly stride: Shape;
  readonly padding: Shape;
  readonly dilation: Shape;
}

/** The windows of a pooling as numbers. Throws ValueError for options out of range. */
export function poolWindows(name: string, options: MaxPool2dOptions): Omit<Geometry, 'input' | 'output'> {
  expectOptions(name, options);
  expectBoolean(name, 'ceilMode', options.ceilMode ?? false);
  const window = expectPair(name, 'kernelSize', options.kernelSize, 1);
  const padding = expectPair(name, 'padding', options.padding ?? 0, 0);
  for (const [i, p] of padding.entries()) {
    if (2 * p > (window[i] as number)) {
      throw new ValueError(`${name}: padding must be at most half the window of ${window[i]}, got ${p}`);
    }
  }
  return {
    window,
    padding,
    stride: expectPair(name, 'stride', options.stride ?? window, 1),
    dilation: expectPair(name, 'dilation', options.dilation ?? 1, 1),
  };
}

/** The sizes of a pooling, [height, width] each. Throws ShapeError or ValueError. */
export function poolGeometry(name: string, shape: Shape, options: MaxPool2dOptions): Geometry {
  if (shape.length < 3)
    throw new ShapeError(`${name}: expected x of shape [N, C, H, W] or [C, H, W], got ${show(shape)}`);
  const { window, stride, padding, dilation } = poolWindows(name, options);
  const input = shape.slice(-2);
  const output = input.map((size, i) => {
    const [k, s, p, d] = [window, stride, padding, dilation].map((values) => values[i] as number) as [
      number,
      number,
      number,
      number,
    ];
    const room = size + 2 * p - d * (k - 1) - 1;
    const count = (options.ceilMode ? Math.ceil(room / s) : Math.floor(room / s)) + 1;
    return options.ceilMode && (count - 1) * s >= size + p ? count - 1 : count;
  });
  if (!output.every((size) => size > 0)) {
    throw new ShapeError(
      `${name}: windows of ${show(window)} do not fit into ${show(input)} with padding ${show(padding)} (x ${show(shape)})`,
    );
  }
  return { input, output, window, stride, padding, dilation };
}

/** Runs `form` over `places` of the planes of tensors [planes, ...], in parts that can be bound. */
function runOverPlanes(
  form: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  planes: number,
  places: number,
  params: Params,
): void {
  const [first] = Object.values(tensors) as [Tensor];
  const planeBytes = Object.values(tensors).map((tensor) => (4 * tensor.size) / planes);
  for (const { start, count } of splitRows(form.name, planes, planeBytes, deviceOf(first).limits)) {
    const bindings = Object.entries(tensors).map(([name, tensor], i) => {
      const bytes = planeBytes[i] as number;
      return [name, part(tensor, start * bytes, count * bytes)];
    });
    const threads = places * Math.ceil(count / form.const('PLANES'));
    const groups = Math.ceil(threads / form.const('LANES'));
    run(form, Object.fromEntries(bindings), { ...params, planes: count }, groups);
  }
}

/** Values of a plane from which its mean is a reduction by many threads. */
const largePlane = 4096;

/** The most windows that cover one element. */
function mostWindows({ window, stride, output }: Geometry): number {
  return area(window.map((size, i) => Math.min(Math.ceil(size / (stride[i] as number)), output[i] as number)));
}

/** Whether some window is entirely in the padding and has no value, which dilation and ceilMode allow. */
function hasEmptyWindows({ input, output, stride, padding, dilation }: Geometry): boolean {
  return input.some((size, i) => {
    const [s, p, d, count] = [stride, padding, dilation, output].map((sizes) => sizes[i] as number) as [
      number,
      number,
      number,
      number,
    ];
    const before = Math.min(Math.ceil(p / s), count);
    const firstInside = (window: number): number => (((window * s - p) % d) + d) % d;
    return (
      (count - 1) * s - p >= size || Array.from({ length: before }, (_, w) => firstInside(w)).some((at) => at >= size)
    );
  });
}

/** Max pooling of a number of planes. */
interface Pooling extends Geometry {
  readonly planes: number;
}

/** An algorithm of maxPool2d in both directions; all store the same places. */
interface MaxPooling {
  readonly forward: (x: Tensor, y: Tensor, places: Tensor, g: Pooling) => void;
  readonly gradient: (dy: Tensor, places: Tensor, dx: Tensor, g: Pooling) => void;
}

const largest = kernel(maxPool2dText);
const largestGradient = byLength(maxPool2dGradientText);
/** The place that the kernel stores for a window without a value. */
const nowhere = 0xffffffff;
const halved = kernel(halvePool2d);
const halvedGradient = kernel(halvePool2dGradient);

/** Measures both directions, since they share the places. */
const poolTuning: Tuning<Pooling, MaxPooling> = {
  cacheKey: ({ planes, input, output, window, stride, padding, dilation }) =>
    `${roundUpToPowerOfTwo(planes)}x${input.join('x')} to ${output.join('x')}, ${window.join('x')} s${stride.join('x')} p${padding.join('x')} d${dilation.join('x')}`,
  prepare: (g) => {
    const [x, y] = [full([g.planes, ...g.input], 0.5), full([g.planes, ...g.output], 0.5)];
    const places = empty(y.shape, 'uint32');
    return {
      operands: [x, y, places],
      run: ({ forward, gradient }) => {
        forward(x, y, places, g);
        gradient(y, places, x, g);
      },
    };
  },
};

const maxPooling = declareAlgorithms<Pooling, MaxPooling>('maxPool2d', poolTuning, [
  {
    name: 'halves',
    fits: ({ input, window, stride, padding, dilation }) => {
      const sideBySide = [...window, ...stride].every((size) => size === 2) && dilation.every((step) => step === 1);
      const [height, width] = input as [number, number];
      return sideBySide && padding.every((size) => size === 0) && height % 2 === 0 && width % 4 === 0;
    },
    run: {
      forward: (x, y, places, { planes, input, output }) =>
        runOverPlanes(halved, { x, y, places }, planes, area(output) / 2, { input }),
      gradient: (dy, places, dx, { planes, input, output }) =>
        runOverPlanes(halvedGradient, { dy, places, dx }, planes, area(output) / 2, { input }),
    },
  },
  {
    name: 'windows',
    fits: () => true,
    run: {
      forward: (x, y, places, g) =>
        runOverPlanes(largest, { x, y, places }, g.planes, area(g.output), { ...g, lowest: Number.NEGATIVE_INFINITY }),
      gradient: (dy, places, dx, g) =>
        runOverPlanes(formFor(largestGradient, mostWindows(g)), { dy, places, dx }, g.planes, area(g.input), { ...g }),
    },
  },
]);

/**
 * The largest value of each window: [..., H, W] to [..., P, Q]. Padding is never chosen; the first of equals, row by row,
 * gets the gradient, and NaN wins over every number. A window that is entirely in the padding gives -Infinity without a
 * gradient. Throws ShapeError where no window fits, ValueError for padding over half of a window.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  expectDtype('maxPool2d', 'x', x, 'float32');
  expectOptions('maxPool2d', options, maxPool2dOptions);
  const g = poolGeometry('maxPool2d', x.shape, options);
  const pooling = { ...g, planes: x.size / area(g.input) };
  return scope(() => {
    const y = empty([...x.shape.slice(0, -2), ...g.output]);
    const places = empty(y.shape, 'uint32');
    maxPooling.run(pooling, deviceOf(x).limits, ({ forward }) => forward(x, y, places, pooling));
    const shape = x.shape;
    return record(
      'maxPool2d',
      y,
      { x },
      {
        saves: { places },
        backward: (dy, saved) => ({ x: maxPool2dGradient(dy, saved.places, pooling, shape) }),
      },
    );
  });
}

/** Adds each gradient at the place that its window chose; its own gradient gathers from these places. */
function maxPool2dGradient(dy: Tensor, places: Tensor, g: Pooling, shape: Shape): Tensor {
  const dx = empty(shape);
  const { planes } = g;
  maxPooling.run(g, deviceOf(dy).limits, ({ gradient }) => gradient(dy, places, dx, g));
  const chosen = dy.shape;
  return record(
    'maxPool2dGradient',
    dx,
    { dy },
    {
      saves: { places },
      backward: (ddx, saved) => {
        const flat = gather(ddx.reshape([planes, area(g.input)]), 1, saved.places.reshape([planes, area(g.output)]));
        const picked = flat.reshape(chosen);
        return { dy: hasEmptyWindows(g) ? where(saved.places.eq(nowhere), 0, picked) : picked };
      },
    },
  );
}

const averages = {
  window: { forward: byLength(averagePool2d), gradient: byLength(averagePool2d, { GRADIENT: true }) },
  adaptive: {
    forward: byLength(averagePool2d, { ADAPTIVE: true }),
    gradient: byLength(averagePool2d, { ADAPTIVE: true, GRADIENT: true }),
  },
};

/** A linear map between [..., H, W] and [..., P, Q] with its transpose, which is its gradient. */
interface Averaging {
  readonly name: string;
  readonly forms: (typeof averages)['window'];
  readonly input: Shape;
  readonly output: Shape;
  readonly params: Params;
  /** The most elements of a window, and the most windows that cover an element. */
  readonly terms: { readonly forward: number; readonly gradient: number };
}

function average(x: Tensor, a: Averaging, transposed: boolean): Tensor {
  const [from, to] = transposed ? [a.output, a.input] : [a.input, a.output];
  const y = empty([...x.shape.slice(0, -2), ...to]);
  const direction = transposed ? 'gradient' : 'forward';
  const form = formFor(a.forms[direction], a.terms[direction]);
  runOverPlanes(form, { x, y }, x.size / area(from), area(to), { ...a.params, input: a.input, output: a.output });
  return record(a.name, y, { x }, { saves: {}, backward: (dy) => ({ x: average(dy, a, !transposed) }) });
}

/** The mean of each window: [..., H, W] to [..., P, Q]. Padding counts as zeros. Throws ShapeError where no window fits. */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  expectDtype('avgPool2d', 'x', x, 'float32');
  expectOptions('avgPool2d', options, avgPool2dOptions);
  const g = poolGeometry('avgPool2d', x.shape, options);
  const { countIncludePad = true } = options;
  expectBoolean('avgPool2d', 'countIncludePad', countIncludePad);
  const { input, output, window, stride, padding } = g;
  if (
    area(input) >= largePlane &&
    window.every((size, i) => size === input[i]) &&
    padding.every((size) => size === 0)
  ) {
    return x.mean([-2, -1], { keepDim: true });
  }
  const params = { window, stride, padding, countPadding: Number(countIncludePad) };
  const terms = { forward: area(window), gradient: mostWindows(g) };
  return average(x, { name: 'avgPool2d', forms: averages.window, input, output, params, terms }, false);
}

/** The mean of windows that divide [H, W] evenly into `size`: [..., H, W] to [..., size]. */
export function adaptiveAvgPool2d(x: Tensor, size: Size2d): Tensor {
  expectDtype('adaptiveAvgPool2d', 'x', x, 'float32');
  const output = expectPair('adaptiveAvgPool2d', 'size', size, 1);
  if (x.rank < 3)
    throw new ShapeError(`adaptiveAvgPool2d: expected x of shape [N, C, H, W] or [C, H, W], got ${show(x.shape)}`);
  const params = { window: [1, 1], stride: [1, 1], padding: [0, 0], countPadding: 0 };
  const input = x.shape.slice(-2);
  if (area(output) === 1 && area(input) >= largePlane) return x.mean([-2, -1], { keepDim: true });
  // A window extends over at most one element more than its share on either side, and so do the windows of an element.
  const most = (over: Shape, of: Shape): number => area(over.map((size, i) => Math.ceil(size / (of[i] as number)) + 1));
  const terms = { forward: most(input, output), gradient: most(output, input) };
  return average(x, { name: 'adaptiveAvgPool2d', forms: averages.adaptive, input, output, params, terms }, false);
}
