// Matrix products and convolutions, in shapes for which adapters choose different kernels.
import { conv2d, convTranspose2d, device, linear, noGrad, setFloat32MatmulPrecision, type Tensor } from '@mien/tensor';
import { near, toTensor } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { type Case, differentiable, sample } from './case.ts';

type Values = reference.Values;

function matrices(): Case[] {
  const shapes = [
    [
      [33, 20],
      [20, 70],
    ],
    [
      [2, 16, 12],
      [2, 12, 16],
    ],
    [
      [1, 40],
      [40, 66],
    ],
    [
      [3, 30],
      [30, 5],
    ],
    [
      [20, 30],
      [30, 2],
    ],
  ] as const;
  const products = shapes.map(([a, b], seed) =>
    differentiable(
      'matmul',
      (x, y) => (x as Tensor).matmul(y as Tensor),
      (x, y) => reference.matmul(x as Values, y as Values),
      ...[sample(a, seed), sample(b, 10 + seed)],
    ),
  );
  const layer = differentiable(
    'linear',
    (x, w, b) => linear(x as Tensor, w as Tensor, b as Tensor),
    (x, w, b) => reference.linear(x as Values, w as Values, b as Values),
    ...[sample([18, 24], 21), sample([20, 24], 22), sample([20], 23)],
  );
  return [...products, layer, ...(device().facts.features.includes('shader-f16') ? [half()] : [])];
}

/** A product of values that are exact in f16. */
function half(): Case {
  const eighths = (shape: readonly number[], seed: number): Values => {
    const { data } = sample(shape, seed);
    return { shape, data: data.map((v) => Math.round(8 * v) / 8) };
  };
  const [a, b] = [eighths([40, 24], 31), eighths([24, 36], 32)];
  return {
    operation: "matmul in 'medium' precision",
    run: async () => {
      setFloat32MatmulPrecision('medium');
      try {
        await near(
          noGrad(() => toTensor(a).matmul(toTensor(b))),
          reference.matmul(a, b),
        );
      } finally {
        setFloat32MatmulPrecision('highest');
      }
    },
  };
}

interface Convolution {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: { stride?: number; padding?: number; dilation?: number; groups?: number };
}

const convolutions: readonly Convolution[] = [
  // Winograd's F(4x4) and F(2x2).
  { x: [2, 8, 8, 8], weight: [8, 8, 3, 3], options: { padding: 1 } },
  { x: [2, 8, 6, 6], weight: [8, 8, 3, 3], options: { padding: 1 } },
  // A 5x5 window.
  { x: [1, 4, 9, 9], weight: [8, 4, 5, 5], options: { padding: 2 } },
  // Patches, with and without enough channels for subgroups.
  { x: [2, 5, 9, 9], weight: [6, 5, 3, 3], options: { stride: 2, padding: 1 } },
  { x: [1, 2, 8, 8], weight: [4, 2, 5, 5], options: { dilation: 1 } },
  // Images of one channel and of three.
  { x: [2, 1, 10, 10], weight: [5, 1, 3, 3], options: { padding: 1 } },
  { x: [1, 3, 9, 7], weight: [4, 3, 3, 3], options: { padding: 1, stride: 2 } },
  // 1x1.
  { x: [2, 6, 4, 4], weight: [8, 6, 1, 1] },
  // Depthwise.
  { x: [2, 4, 8, 8], weight: [4, 1, 3, 3], options: { padding: 1, groups: 4 } },
  { x: [1, 4, 9, 9], weight: [4, 1, 3, 3], options: { padding: 1, groups: 4, stride: 2 } },
  // Grouped.
  { x: [1, 4, 6, 6], weight: [4, 2, 3, 3], options: { groups: 2, dilation: 2 } },
  // More rows and columns than a tile.
  { x: [1, 16, 7, 11], weight: [20, 16, 2, 3], options: { padding: 1 } },
];

/** Matrix products, convolutions and their transposes. */
export function products(): Case[] {
  const forwards = convolutions.map(({ x, weight, options = {} }, seed) =>
    differentiable(
      'conv2d',
      (v, w, b) => conv2d(v as Tensor, w as Tensor, b as Tensor, options),
      (v, w, b) => reference.conv2d(v as Values, w as Values, b as Values, options),
      ...[sample(x, 100 + seed), sample(weight, 200 + seed, -0.5, 0.5), sample(weight.slice(0, 1), 300 + seed)],
    ),
  );
  const transposes = (
    [
      { x: [2, 8, 4, 4], weight: [8, 8, 3, 3], options: { padding: 1 } },
      { x: [1, 5, 4, 4], weight: [5, 6, 3, 3], options: { stride: 2, padding: 1, outputPadding: 1 } },
      { x: [1, 2, 5, 5], weight: [2, 3, 4, 4], options: { stride: 2 } },
    ] as const
  ).map(({ x, weight, options }, seed) =>
    differentiable(
      'convTranspose2d',
      (v, w) => convTranspose2d(v as Tensor, w as Tensor, null, options),
      (v, w) => reference.convTranspose2d(v as Values, w as Values, null, options),
      ...[sample(x, 400 + seed), sample(weight, 500 + seed, -0.5, 0.5)],
    ),
  );
  return [...matrices(), ...forwards, ...transposes];
}
