// Matrix products and convolutions, in the shapes for which adapters choose different kernels.
import { conv2d, convTranspose2d, device, linear, noGrad, setFloat32MatmulPrecision, type Tensor } from '@mien/tensor';
import { near, toTensor } from '@mien/tensor/compare';
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

/** A product of numbers that f16 holds, so that rounding them changes nothing. */
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
  /** What is special about it. */
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: { stride?: number; padding?: number; dilation?: number; groups?: number };
}

const convolutions: readonly Convolution[] = [
  // Winograd's F(4x4) and F(2x2).
  { x: [2, 8, 8, 8], weight: [8, 8, 3, 3], options: { padding: 1 } },
  { x: [2, 8, 6, 6], weight: [8, 8, 3, 3], options: { padding: 1 } },
  // A wide window.
  { x: [1, 4, 9, 9], weight: [8, 4, 5, 5], options: { padding: 2 } },
  // Steps of two: patches, with and without channels enough for subgroups.
  { x: [2, 5, 9, 9], weight: [6, 5, 3, 3], options: { stride: 2, padding: 1 } },
  { x: [1, 2, 8, 8], weight: [4, 2, 5, 5], options: { dilation: 1 } },
  // Pictures of one channel and of three.
  { x: [2, 1, 10, 10], weight: [5, 1, 3, 3], options: { padding: 1 } },
  { x: [1, 3, 9, 7], weight: [4, 3, 3, 3], options: { padding: 1, stride: 2 } },
  // A window of one pixel.
  { x: [2, 6, 4, 4], weight: [8, 6, 1, 1] },
  // A window for each channel.
  { x: [2, 4, 8, 8], weight: [4, 1, 3, 3], options: { padding: 1, groups: 4 } },
  { x: [1, 4, 9, 9], weight: [4, 1, 3, 3], options: { padding: 1, groups: 4, stride: 2 } },
  // Groups of few channels.
  { x: [1, 4, 6, 6], weight: [4, 2, 3, 3], options: { groups: 2, dilation: 2 } },
  // More rows and columns than a tile has.
  { x: [1, 16, 7, 11], weight: [20, 16, 2, 3], options: { padding: 1 } },
];

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
