// How the tuner tries the ways of convolutions: the shape in words, and operands of it.
import { near, type Trials } from '../runtime/alternatives.ts';
import type { Tensor } from '../tensor.ts';
import type { ConvGeometry } from './convGeometry.ts';
import { full } from './create.ts';
import type { Epilogue } from './epilogue.ts';
import type { Shape } from './geometry.ts';

/** `16x64x44x44 128 3x3`, then what is not usual: stride, padding, dilation, output, groups. Batches are rounded up. */
function words(g: ConvGeometry): string {
  const { images, inputs, outputs, groups, input, output, window, stride, padding, dilation } = g;
  const unless = (usual: number, letter: string, sizes: Shape): string =>
    sizes.every((size) => size === usual) ? '' : ` ${letter}${new Set(sizes).size === 1 ? sizes[0] : sizes.join('x')}`;
  // One side is longer than the window makes it where the transpose pads its output.
  const exact = input.map(
    (size, i) =>
      ((output[i] as number) - 1) * (stride[i] as number) +
      (dilation[i] as number) * ((window[i] as number) - 1) +
      1 -
      2 * (padding[i] as number) -
      size,
  );
  return [
    `${near(images)}x${inputs}x${input.join('x')} ${outputs} ${window.join('x')}`,
    unless(1, 's', stride),
    unless(0, 'p', padding),
    unless(1, 'd', dilation),
    unless(0, 'rest', exact.map(Math.abs)),
    groups === 1 ? '' : ` g${groups}`,
  ].join('');
}

/** Enough images to tell a way that is many times slower. */
const sample = (g: ConvGeometry): ConvGeometry => ({ ...g, images: Math.min(2, g.images) });

function tensorsOf(g: ConvGeometry): readonly [x: Tensor, weight: Tensor, y: Tensor] {
  const x = full([g.images, g.inputs, ...g.input], 0.5);
  const weight = full([g.outputs, g.inputs / g.groups, ...g.window], 0.25);
  return [x, weight, full([g.images, g.outputs, ...g.output], 0.5)];
}

type Way<End> = (from: Tensor, weight: Tensor, end: End, g: ConvGeometry, to: Tensor) => void;

/** Trials of `conv2d`. */
export const forwardTrials: Trials<ConvGeometry, Way<Epilogue>> = {
  words,
  sample,
  prepare: (g) => {
    const [x, weight, y] = tensorsOf(g);
    return { operands: [x, weight, y], run: (way) => way(x, weight, {}, g, y) };
  },
};

/** Trials of `convTranspose2d`. */
export const transposeTrials: Trials<ConvGeometry, Way<Tensor | null>> = {
  words,
  sample,
  prepare: (g) => {
    const [x, weight, y] = tensorsOf(g);
    return { operands: [x, weight, y], run: (way) => way(y, weight, null, g, x) };
  },
};

/** Trials of the weight gradient. */
export const weightGradientTrials: Trials<ConvGeometry, (x: Tensor, dy: Tensor, g: ConvGeometry) => unknown> = {
  words,
  sample,
  prepare: (g) => {
    const [x, weight, dy] = tensorsOf(g);
    return { operands: [x, weight, dy], run: (way) => void way(x, dy, g) };
  },
};
