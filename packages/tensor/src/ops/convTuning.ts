// How the tuner measures the algorithms of convolutions: cache keys and operands.
import { roundUpToPowerOfTwo, type Tuning } from '../runtime/algorithms.ts';
import type { Tensor } from '../tensor.ts';
import type { ConvGeometry } from './convGeometry.ts';
import type { WeightGradient, WithBias, WithEpilogue } from './convPlaces.ts';
import { full } from './create.ts';
import type { Shape } from './geometry.ts';

/** `16x64x44x44 128 3x3`, then what differs from the defaults: stride, padding, dilation, output, groups. Batches are rounded up. */
function cacheKey(g: ConvGeometry): string {
  const { images, inputs, outputs, groups, input, output, window, stride, padding, dilation } = g;
  const unless = (usual: number, letter: string, sizes: Shape): string =>
    sizes.every((size) => size === usual) ? '' : ` ${letter}${new Set(sizes).size === 1 ? sizes[0] : sizes.join('x')}`;
  // outputPadding makes one side longer.
  const exact = input.map(
    (size, i) =>
      ((output[i] as number) - 1) * (stride[i] as number) +
      (dilation[i] as number) * ((window[i] as number) - 1) +
      1 -
      2 * (padding[i] as number) -
      size,
  );
  return [
    `${roundUpToPowerOfTwo(images)}x${inputs}x${input.join('x')} ${outputs} ${window.join('x')}`,
    unless(1, 's', stride),
    unless(0, 'p', padding),
    unless(1, 'd', dilation),
    unless(0, 'rest', exact.map(Math.abs)),
    groups === 1 ? '' : ` g${groups}`,
  ].join('');
}

/** Enough images to recognize an algorithm that is many times slower. */
const sample = (g: ConvGeometry): ConvGeometry => ({ ...g, images: Math.min(2, g.images) });

function tensorsOf(g: ConvGeometry): readonly [x: Tensor, weight: Tensor, y: Tensor] {
  const x = full([g.images, g.inputs, ...g.input], 0.5);
  const weight = full([g.outputs, g.inputs / g.groups, ...g.window], 0.25);
  return [x, weight, full([g.images, g.outputs, ...g.output], 0.5)];
}

/** Tuning of `conv2d`. */
export const forwardTuning: Tuning<ConvGeometry, WithEpilogue> = {
  cacheKey,
  sample,
  prepare: (g) => {
    const [x, weight, y] = tensorsOf(g);
    return { operands: [x, weight, y], run: (convolve) => convolve(x, weight, {}, g, y) };
  },
};

/** Tuning of `convTranspose2d`. */
export const transposedTuning: Tuning<ConvGeometry, WithBias> = {
  cacheKey,
  sample,
  prepare: (g) => {
    const [x, weight, y] = tensorsOf(g);
    return { operands: [x, weight, y], run: (convolve) => convolve(y, weight, null, g, x) };
  },
};

/** Tuning of the weight gradient. */
export const weightGradientTuning: Tuning<ConvGeometry, WeightGradient> = {
  cacheKey,
  sample,
  prepare: (g) => {
    const [x, weight, dy] = tensorsOf(g);
    return { operands: [x, weight, dy], run: (convolve) => void convolve(x, dy, g) };
  },
};
