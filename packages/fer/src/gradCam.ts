// Where a network looks: Grad-CAM, Selvaraju et al. (2017), on the last convolutional map. For browsers and Node.
import { AdaptiveAvgPool2d, AvgPool2d, Flatten, type Layer, ReLU, Sequential } from '@mien/nn';
import { grad, noGrad, ShapeError, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { PIXELS, SIDE } from './datasets/faces.ts';
import { NanoNet, SmallNet } from './models/compact.ts';
import { ResNet18 } from './models/resnet.ts';
import { VGG } from './models/vgg.ts';
import type { ExpressionReader } from './prediction.ts';
import type { View } from './transforms.ts';

/** A network in two parts: `head(body(x))` are its logits [N, classes], `body(x)` its last convolutional map [N, C, P, Q]. */
export interface CutNetwork {
  readonly body: (x: Tensor) => Tensor;
  readonly head: (map: Tensor) => Tensor;
}

/** One of this package's networks, in evaluation, cut behind its last convolution. Throws ValueError for another. */
export function cutNetwork(net: Layer): CutNetwork {
  if (net instanceof SmallNet || net instanceof NanoNet) {
    return {
      body: (x) => net.features.forward(x),
      head: chain(new AdaptiveAvgPool2d(1), new Flatten(), net.classifier),
    };
  }
  if (net instanceof VGG) {
    const layers = [...net.features];
    return { body: chain(...layers.slice(0, -1)), head: chain(...layers.slice(-1), new Flatten(), net.classifier) };
  }
  if (net instanceof ResNet18) {
    const { conv1, bn1, layer1, layer2, layer3, layer4 } = net;
    return {
      body: chain(conv1, bn1, new ReLU(), layer1, layer2, layer3, layer4),
      head: chain(new AvgPool2d(4), new Flatten(), net.linear),
    };
  }
  throw new ValueError(
    `cutNetwork: knows this package's networks, not ${net.constructor.name}; give gradCam its body and head yourself`,
  );
}

function chain(...layers: readonly Layer[]): (x: Tensor) => Tensor {
  const all = new Sequential(...layers);
  return (x) => all.forward(x);
}

/**
 * relu(sum over c of a[n, c] * map[n, c, p, q]), where a[n, c] is the mean over the map of the derivative of the logit of
 * class `index` by it: x [N, ...] to [N, P, Q]. Every image must be computed by itself, as in evaluation. Throws ShapeError
 * for a body that does not give planes, ValueError for a class that is not there.
 */
export function gradCam({ body, head }: CutNetwork, x: Tensor, index: number): Tensor {
  return scope(() => {
    const map = noGrad(() => body(x)).detach();
    if (map.rank !== 4)
      throw new ShapeError(`gradCam: the body gives [${map.shape.join(', ')}], expected [N, C, P, Q]`);
    const logitOf = (planes: Tensor): Tensor => {
      const logits = head(planes);
      const [, classes = 0] = logits.shape;
      if (!Number.isInteger(index) || index < 0 || index >= classes)
        throw new ValueError(`gradCam: class ${index}, expected 0 to ${classes - 1}`);
      return logits.slice(1, index, index + 1).sum();
    };
    const weights = grad(logitOf)(map).mean([2, 3], { keepDim: true });
    return map.mul(weights).sum(1).relu();
  });
}

/** Where the network looks in a 48x48 face for one class. */
export interface Explanation {
  /** [48, 48], row by row, from 0 to 1, its highest; all 0 where nothing speaks for the class. */
  readonly map: Float32Array;
  /** What 1 stands for, in logits of the network. */
  readonly peak: number;
}

/** Grad-CAM of the ten views that a prediction is the mean of, each laid where it was cut; their mean. */
export async function explainFace(reader: ExpressionReader, seen: Uint8Array, index: number): Promise<Explanation> {
  if (seen.length !== PIXELS)
    throw new ValueError(`explainFace: ${seen.length} bytes, expected ${PIXELS} of a 48x48 face`);
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
    spread(plane, rows, columns, view, input.size, (at, value) => {
      map[at] = (map[at] as number) + value / views.length;
    });
  }
  const peak = map.reduce((most, value) => Math.max(most, value), 0);
  return { map: peak > 0 ? map.map((value) => value / peak) : map, peak };
}

/** Tells each pixel of the face the value of a view's map, enlarged bilinearly; beyond the view its edge goes on. */
function spread(
  plane: ArrayLike<number>,
  rows: number,
  columns: number,
  { top, left, mirrored }: View,
  size: number,
  tell: (at: number, value: number) => void,
): void {
  const place = (i: number, count: number): readonly [low: number, high: number, share: number] => {
    const at = Math.min(Math.max(((i + 0.5) * count) / size - 0.5, 0), count - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, count - 1), at - low];
  };
  for (let y = 0; y < SIDE; y++) {
    const [upper, lower, down] = place(y - top, rows);
    for (let x = 0; x < SIDE; x++) {
      const [near, far, along] = place(mirrored ? size - 1 - (x - left) : x - left, columns);
      const row = (r: number): number =>
        (plane[r * columns + near] as number) * (1 - along) + (plane[r * columns + far] as number) * along;
      tell(y * SIDE + x, row(upper) * (1 - down) + row(lower) * down);
    }
  }
}
