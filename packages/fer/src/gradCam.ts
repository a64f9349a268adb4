// Grad-CAM (Selvaraju et al. 2017) on the last convolutional feature map. For browsers and Node.
import type { Layer } from '@mien/nn';
import { grad, noGrad, ShapeError, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { PIXELS, SIDE } from './datasets/faces.ts';
import type { CutNetwork } from './models/cut.ts';
import type { ExpressionReader } from './prediction.ts';
import type { View } from './transforms.ts';

/** Splits one of this package's networks after its last convolution. Throws ValueError for other networks. */
export function cutNetwork(net: Layer): CutNetwork {
  if (isCuttable(net)) return net.cut();
  throw new ValueError(
    `cutNetwork: expected a network of this package, got ${net.constructor.name}; pass its body and head to gradCam`,
  );
}

function isCuttable(net: Layer): net is Layer & { cut(): CutNetwork } {
  return 'cut' in net && typeof net.cut === 'function';
}

/**
 * relu(sum over c of a[n, c] * map[n, c, p, q]), where a[n, c] is the mean over p and q of d logit[n, index] / d map:
 * x [N, ...] to [N, P, Q]. The network must be in evaluation mode, so that images do not depend on each other. Throws
 * ShapeError unless the body's output has rank 4, ValueError for an index out of range.
 */
export function gradCam({ body, head }: CutNetwork, x: Tensor, index: number): Tensor {
  return scope(() => {
    const map = noGrad(() => body(x)).detach();
    if (map.rank !== 4)
      throw new ShapeError(`gradCam: expected a body with output [N, C, P, Q], got [${map.shape.join(', ')}]`);
    const logitOf = (features: Tensor): Tensor => {
      const logits = head(features);
      const [, classes = 0] = logits.shape;
      if (!Number.isInteger(index) || index < 0 || index >= classes)
        throw new ValueError(`gradCam: expected a class from 0 to ${classes - 1}, got ${index}`);
      return logits.slice(1, index, index + 1).sum();
    };
    const weights = grad(logitOf)(map).mean([2, 3], { keepDim: true });
    return map.mul(weights).sum(1).relu();
  });
}

/** The heat map of a 48x48 face for one class. */
export interface Explanation {
  /** [48, 48], divided by its maximum; 0 everywhere if no region supports the class. */
  readonly map: Float32Array;
  /** The maximum, in logits. */
  readonly peak: number;
}

/** The mean of the Grad-CAM maps of the ten crops of a prediction, each at the position of its crop. */
export async function explainFace(reader: ExpressionReader, seen: Uint8Array, index: number): Promise<Explanation> {
  if (seen.length !== PIXELS)
    throw new ValueError(`explainFace: expected ${PIXELS} bytes of a 48x48 face, got ${seen.length}`);
  const { cropper, input, network } = reader;
  const views = cropper.ten(0);
  const shape = [views.length, input.channels, input.size, input.size];
  const maps = scope(() => gradCam(cutNetwork(network), tensor(cropper.cut(seen, views), { shape }), index));
  const values = await maps.data();
  const [, rows = 1, columns = 1] = maps.shape;
  maps.dispose();
  const map = new Float32Array(PIXELS);
  for (const [i, view] of views.entries()) {
    const plane = values.subarray(i * rows * columns, (i + 1) * rows * columns);
    addUpsampled(map, plane, rows, columns, view, input.size, views.length);
  }
  const peak = map.reduce((max, value) => Math.max(max, value), 0);
  return { map: peak > 0 ? map.map((value) => value / peak) : map, peak };
}

/** Adds 1 / count of a view's map to the face's, upsampled bilinearly; edge values are repeated outside the view. */
function addUpsampled(
  face: Float32Array,
  plane: ArrayLike<number>,
  rows: number,
  columns: number,
  { top, left, mirrored }: View,
  size: number,
  count: number,
): void {
  const neighbors = (i: number, length: number): readonly [low: number, high: number, fraction: number] => {
    const position = Math.min(Math.max(((i + 0.5) * length) / size - 0.5, 0), length - 1);
    const low = Math.floor(position);
    return [low, Math.min(low + 1, length - 1), position - low];
  };
  for (let y = 0; y < SIDE; y++) {
    const [y0, y1, dy] = neighbors(y - top, rows);
    for (let x = 0; x < SIDE; x++) {
      const [x0, x1, dx] = neighbors(mirrored ? size - 1 - (x - left) : x - left, columns);
      const row = (r: number): number =>
        (plane[r * columns + x0] as number) * (1 - dx) + (plane[r * columns + x1] as number) * dx;
      const at = y * SIDE + x;
      face[at] = (face[at] as number) + (row(y0) * (1 - dy) + row(y1) * dy) / count;
    }
  }
}
