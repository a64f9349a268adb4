// Generators of cases that fit each algorithm of max pooling.
import { type MaxPool2dOptions, maxPool2d, type Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { distinctValuesOf, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import type { AlgorithmLaw, CasesOf, Spec } from './laws.ts';

/** A pooling of [planes, ...input]. */
interface PoolSpec extends Spec {
  readonly planes: number;
  readonly input: readonly [number, number];
  readonly options: MaxPool2dOptions;
}

interface PoolCase {
  readonly spec: PoolSpec;
  /** Distinct values. */
  readonly x: reference.Values;
  readonly tied: reference.Values;
}

const two = { kernelSize: 2 };

function pool(
  planes: number,
  input: readonly [number, number],
  options: MaxPool2dOptions = two,
  rest: Spec = {},
): PoolSpec {
  return { planes, input, options, ...rest };
}

const halves: CasesOf<PoolSpec> = {
  any: fc
    .record({
      planes: fc.integer({ min: 1, max: 19 }),
      height: fc.integer({ min: 1, max: 6 }),
      width: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ planes, height, width }) => pool(planes, [2 * height, 4 * width])),
  edges: {
    smallest: pool(1, [2, 4]),
    largest: pool(64, [44, 44]),
    odd: pool(9, [6, 12]),
    prime: pool(13, [14, 28]),
    'ragged tile': pool(3, [2, 20]),
    'one row of windows': pool(2, [2, 64]),
    'planes in parts': pool(40, [8, 8], two, { limits: { maxStorageBufferBindingSize: 1 << 12 } }),
  },
};

const windows: CasesOf<PoolSpec> = {
  any: fc
    .record({
      planes: fc.integer({ min: 1, max: 9 }),
      input: fc.tuple(fc.integer({ min: 5, max: 13 }), fc.integer({ min: 5, max: 13 })),
      kernelSize: fc.constantFrom<number | readonly [number, number]>(1, 2, 3, [3, 2]),
      stride: fc.constantFrom<number | readonly [number, number]>(1, 2, 3, [2, 1]),
      padded: fc.boolean(),
      dilation: fc.constantFrom(1, 1, 2),
      ceilMode: fc.boolean(),
    })
    .map(({ planes, input, padded, ceilMode, dilation, ...options }) =>
      pool(planes, input, {
        ...options,
        padding: padded && options.kernelSize !== 1 ? 1 : 0,
        ceilMode,
        dilation: ceilMode ? 1 : dilation,
      }),
    ),
  edges: {
    smallest: pool(1, [1, 1], { kernelSize: 1 }),
    largest: pool(20, [44, 44], { kernelSize: 3, stride: 2, padding: 1 }),
    odd: pool(3, [7, 9], { kernelSize: 3, stride: 3 }),
    prime: pool(5, [11, 13], { kernelSize: 2, stride: 1 }),
    'ragged tile': pool(3, [5, 6]),
    'a window of the plane': pool(2, [4, 5], { kernelSize: [4, 5] }),
    'stride over the window': pool(2, [10, 11], { kernelSize: 2, stride: 3 }),
    'what halves does': pool(3, [6, 8]),
    'planes in parts': pool(
      40,
      [8, 8],
      { kernelSize: 3, stride: 1, padding: 1 },
      { limits: { maxStorageBufferBindingSize: 1 << 12 } },
    ),
  },
};

/** Adds each gradient to the first maximum of its window; NaN is larger than any number. */
function gradientOf(x: reference.Values, slope: reference.Values, options: MaxPool2dOptions): reference.Values {
  const both = (value: number | readonly [number, number]): readonly [number, number] =>
    typeof value === 'number' ? [value, value] : value;
  const { kernelSize, stride = kernelSize, padding = 0, dilation = 1 } = options;
  const [[windowH, windowW], [strideH, strideW]] = [both(kernelSize), both(stride)];
  const [[padH, padW], [dilationH, dilationW]] = [both(padding), both(dilation)];
  const [, h, w] = x.shape as [number, number, number];
  const dx = reference.full(x.shape, 0);
  slope.data.forEach((value, i) => {
    const [plane, p, q] = reference.coordinates(slope.shape, i) as [number, number, number];
    let best = -1;
    for (let r = 0; r < windowH; r++) {
      for (let s = 0; s < windowW; s++) {
        const [row, column] = [p * strideH + r * dilationH - padH, q * strideW + s * dilationW - padW];
        if (row < 0 || row >= h || column < 0 || column >= w) continue;
        const place = (plane * h + row) * w + column;
        const [now, largest] = [x.data[place] as number, best < 0 ? -Infinity : (x.data[best] as number)];
        if (best < 0 || now > largest || (Number.isNaN(now) && !Number.isNaN(largest))) best = place;
      }
    }
    dx.data[best] = (dx.data[best] as number) + value;
  });
  return dx;
}

/** Max pooling, its gradient, and the choice among equal values. */
export const poolLaw: AlgorithmLaw<PoolSpec, PoolCase> = {
  operation: 'maxPool2d',
  sentence: (name) =>
    `maxPool2d by ${name} equals its reference for any case that it fits, gradient, ties and NaN included`,
  cases: { halves, windows },
  values: (spec) =>
    fc.record({
      spec: fc.constant(spec),
      x: distinctValuesOf([spec.planes, ...spec.input]),
      tied: valuesOf([spec.planes, ...spec.input], { integer: true }),
    }),
  property: async ({ spec: { options }, x, tied }) => {
    const some = { ...tied, data: tied.data.map((v) => (v === 2 ? Number.NaN : v)) };
    for (const values of [x, tied, some]) {
      const leaf = toTensor(values, { requiresGrad: true });
      const y = maxPool2d(leaf, options);
      await near(y, reference.maxPool2d(values, options));
      const slope = reference.build(y.shape, (at) => 1 + (at.reduce((sum, i) => sum + i, 0) % 3));
      y.backward(toTensor(slope));
      await near(leaf.grad as Tensor, gradientOf(values, slope, options));
    }
  },
};
