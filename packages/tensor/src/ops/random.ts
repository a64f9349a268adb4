// Random tensors. Every number is a function of a seed and a position (see generator.ts), the same on every adapter.
import drawText from '@mien/shaders/random/draw.wgsl';
import dropoutText from '@mien/shaders/random/dropout.wgsl';
import { expectBoolean, expectInteger, expectNumber, expectOptions, kindOf } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ValueError } from '../errors.ts';
import { defaultGenerator, Generator } from '../generator.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { type Live, live } from '../runtime/live.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { part, splitElements } from '../runtime/split.ts';
import type { Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { tensor } from './create.ts';
import type { Shape } from './geometry.ts';

const bits = kernel(drawText, { DISTRIBUTION: 'BITS', element: 'u32' });
const uniform = kernel(drawText, { DISTRIBUTION: 'UNIFORM' });
const normal = kernel(drawText, { DISTRIBUTION: 'NORMAL' });
const chance = kernel(drawText, { DISTRIBUTION: 'BERNOULLI', element: 'u32' });
const drop = kernel(dropoutText);

/** Options of random functions. */
export interface RandomOptions {
  /** Default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

const randomOptions = ['generator'];

/** The generator of the options, or null for the default one. Throws ValueError for another value. */
function generatorOf(name: string, options: RandomOptions): Generator | null {
  const { generator = null } = options;
  if (generator === null || generator instanceof Generator) return generator;
  throw new ValueError(
    `${name}: generator must be a Generator, got ${kindOf(generator)}; create one with new Generator(seed)`,
  );
}

/** A stretch of a generator's stream. */
interface Stretch {
  readonly seed: number;
  readonly block: number;
}

/** Live, because every call of a captured function draws new numbers. */
function stretch(name: string, size: number, options: RandomOptions): Live<Stretch> {
  const generator = generatorOf(name, options);
  return live(() => {
    const from = generator ?? defaultGenerator();
    return { seed: from.seed, block: from.take(size) };
  });
}

function runOverStream(
  form: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  from: Live<Stretch>,
  params: Params,
): void {
  const [first] = Object.values(tensors) as [Tensor];
  for (const { start, count } of splitElements(first.size, deviceOf(first).limits)) {
    const bindings = Object.fromEntries(
      Object.entries(tensors).map(([name, x]) => [name, part(x, 4 * start, 4 * count)]),
    );
    const blocks = Math.ceil(count / 4);
    const position = {
      firstBlock: live(() => halves(from.value.block + start / 4)),
      key: live(() => halves(from.value.seed)),
    };
    const groups = Math.ceil(blocks / (form.const('LANES') * form.const('VECTORS')));
    run(form, bindings, { ...params, ...position, blocks }, groups);
  }
}

/** The lower and the upper 32 bits. */
function halves(value: number): [number, number] {
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}

/** Random integers from 0 to 2^32 - 1, as uint32. */
export function randomBits(shape: Shape, options: RandomOptions = {}): Tensor {
  expectOptions('randomBits', options, randomOptions);
  const y = empty(shape, 'uint32');
  runOverStream(bits, { y }, stretch('randomBits', y.size, options), { probability: 0 });
  return y;
}

/** Uniform numbers in [0, 1), multiples of 2^-24. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  expectOptions('rand', options, randomOptions);
  const y = empty(shape);
  runOverStream(uniform, { y }, stretch('rand', y.size, options), { probability: 0 });
  return y;
}

/** Normal numbers of mean 0 and variance 1. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  expectOptions('randn', options, randomOptions);
  const y = empty(shape);
  runOverStream(normal, { y }, stretch('randn', y.size, options), { probability: 0 });
  return y;
}

/** Booleans that are true with probability p. Throws ValueError outside 0..1. */
export function bernoulli(shape: Shape, p: number, options: RandomOptions = {}): Tensor {
  expectOptions('bernoulli', options, randomOptions);
  expectNumber('bernoulli', 'p', p, 0, 1);
  const y = empty(shape, 'bool');
  runOverStream(chance, { y }, stretch('bernoulli', y.size, options), { probability: p });
  return y;
}

/** The integers from 0 to n - 1 in random order, as int32: [n]. Throws ValueError unless n is a positive integer. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  expectOptions('randperm', options, randomOptions);
  expectInteger('randperm', 'n', n);
  return tensor((generatorOf('randperm', options) ?? defaultGenerator()).permutation(n));
}

/** Options of `dropout`. */
export interface DropoutOptions extends RandomOptions {
  /** Without training the result is x itself. Default true. */
  readonly training?: boolean;
}

/**
 * Zeros each element with probability p and divides the others by 1 - p. Saves nothing: the gradient draws the same
 * mask again. With p = 1 all elements are zero (NaN stays NaN). Throws ValueError unless 0 <= p <= 1. Srivastava et al. (2014).
 */
export function dropout(x: Tensor, p: number, options: DropoutOptions = {}): Tensor {
  expectDtype('dropout', 'x', x, 'float32');
  expectNumber('dropout', 'p', p, 0, 1);
  expectOptions('dropout', options, ['generator', 'training']);
  const { training = true } = options;
  expectBoolean('dropout', 'training', training);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  return dropoutAt(x, 1 - p, stretch('dropout', x.size, options));
}

function dropoutAt(x: Tensor, keep: number, from: Live<Stretch>): Tensor {
  const y = empty(x.shape);
  runOverStream(drop, { x, y }, from, { keep });
  return record('dropout', y, { x }, { saves: {}, backward: (dy) => ({ x: dropoutAt(dy, keep, from) }) });
}
