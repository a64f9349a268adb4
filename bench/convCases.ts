// The distinct convolutions of VGG19 and ResNet18 at 44x44, and a depthwise layer of nano: each pass at batch 16 and 128, and each
// algorithm at batch 16.
import { conv2d, convTranspose2d, randn, type Tensor } from '@mien/tensor';
import { algorithmsOf } from '@mien/tensor/internal';
import type { Case } from './measure.ts';
import { forced, operation, type Prepared } from './operation.ts';

interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Height and width of the result. */
  readonly size: number;
  readonly window?: 1 | 3;
  readonly stride?: 1 | 2;
  readonly groups?: number;
}

const layers: readonly Layer[] = [
  { name: 'conv3to64x44', inputs: 3, outputs: 64, size: 44 },
  { name: 'conv64x44', inputs: 64, outputs: 64, size: 44 },
  { name: 'conv64to128x22', inputs: 64, outputs: 128, size: 22 },
  { name: 'conv128x22', inputs: 128, outputs: 128, size: 22 },
  { name: 'conv128to256x11', inputs: 128, outputs: 256, size: 11 },
  { name: 'conv256x11', inputs: 256, outputs: 256, size: 11 },
  { name: 'conv256to512x5', inputs: 256, outputs: 512, size: 5 },
  { name: 'conv512x5', inputs: 512, outputs: 512, size: 5 },
  { name: 'conv512x2', inputs: 512, outputs: 512, size: 2 },
  // ResNet18 halves by strides, so its last maps are 6x6. A shortcut is a 1x1 convolution.
  { name: 'conv64to128x22/stride2', inputs: 64, outputs: 128, size: 22, stride: 2 },
  { name: 'conv64to128x22/shortcut', inputs: 64, outputs: 128, size: 22, stride: 2, window: 1 },
  { name: 'conv128to256x11/stride2', inputs: 128, outputs: 256, size: 11, stride: 2 },
  { name: 'conv128to256x11/shortcut', inputs: 128, outputs: 256, size: 11, stride: 2, window: 1 },
  { name: 'conv256to512x6/stride2', inputs: 256, outputs: 512, size: 6, stride: 2 },
  { name: 'conv256to512x6/shortcut', inputs: 256, outputs: 512, size: 6, stride: 2, window: 1 },
  { name: 'conv512x6', inputs: 512, outputs: 512, size: 6 },
  { name: 'depthwise96x22', inputs: 96, outputs: 96, size: 22, groups: 96 },
];

/** A layer's tensors: input, gradient of the result, weight without and with a gradient, and a result for backward. */
interface Tensors {
  readonly x: Tensor;
  readonly dy: Tensor;
  readonly weight: Tensor;
  readonly options: { readonly padding: number; readonly stride: number; readonly groups: number };
}

interface Pass {
  readonly name: string;
  /** The operation by whose name its algorithms are declared. */
  readonly operation: string;
  readonly prepare: (tensors: Tensors) => Prepared;
}

const passes: readonly Pass[] = [
  {
    name: 'forward',
    operation: 'conv2d',
    prepare: ({ x, weight, options }) => ({ tensors: [], run: () => conv2d(x, weight, null, options) }),
  },
  {
    name: 'inputGradient',
    operation: 'convTranspose2d',
    // With stride 2, the last row of an input of even size starts no window.
    prepare: ({ x, dy, weight, options: { padding, stride, groups } }) => {
      const reached = ((dy.shape[2] as number) - 1) * stride - 2 * padding + (weight.shape[2] as number);
      const options = { padding, stride, groups, outputPadding: (x.shape[2] as number) - reached };
      return { tensors: [], run: () => convTranspose2d(dy, weight, null, options) };
    },
  },
  {
    name: 'weightGradient',
    operation: 'conv2dWeightGradient',
    prepare: ({ x, dy, weight, options }) => {
      const learnt = weight.detach({ requiresGrad: true });
      const y = conv2d(x, learnt, null, options);
      return { tensors: [learnt, y], run: () => y.backward(dy, { keepGraph: true }) };
    },
  },
];

export function convCases(): readonly Case[] {
  return [16, 128].flatMap((images) =>
    layers.flatMap((layer) =>
      passes.flatMap((pass) => {
        const chosen = caseOf(layer, pass, images);
        const by = algorithmsOf(pass.operation).map((algorithm) => forced(chosen, pass.operation, algorithm));
        return [images === 16 ? chosen : { ...chosen, large: true }, ...by.map((each) => ({ ...each, large: true }))];
      }),
    ),
  );
}

function caseOf(
  { name, inputs, outputs, size, window = 3, stride = 1, groups = 1 }: Layer,
  pass: Pass,
  images: number,
): Case {
  const taps = (inputs / groups) * window * window;
  const work = { flops: 2 * images * outputs * size * size * taps };
  return operation(`${name}${images === 16 ? '' : `/b${images}`}/${pass.name}`, work, () => {
    // 44 -> 22 -> 11 -> 6: with stride 2 the input is twice the result, except for the last.
    const before = size === 6 && stride === 2 ? 11 : size * stride;
    const [x, dy] = [randn([images, inputs, before, before]), randn([images, outputs, size, size])];
    const weight = randn([outputs, inputs / groups, window, window]);
    const { tensors, run } = pass.prepare({ x, dy, weight, options: { padding: window >> 1, stride, groups } });
    return { tensors: [x, dy, weight, ...tensors], run };
  });
}
