// VGG19 and ResNet18 of @mien/fer in a peer's operations, and their parameters and images.

export const batch = 16;
export const classes = 7;
export const input: { readonly channels: number; readonly size: number } = { channels: 3, size: 44 };

/** A convolution; padding is half the window. */
export interface ConvOptions {
  readonly outputs: number;
  readonly window?: 1 | 3;
  readonly stride?: number;
  readonly bias?: boolean;
}

/** The operations of a network on a peer's values. Weights are used in the order of `parametersOf`. */
export interface Net<T> {
  conv(x: T, options: ConvOptions): T;
  norm(x: T): T;
  relu(x: T): T;
  add(a: T, b: T): T;
  /** Windows of 2. */
  maxPool(x: T): T;
  /** Windows of 4. */
  averagePool(x: T): T;
  flatten(x: T): T;
  dropout(x: T): T;
  linear(x: T): T;
  /** The value twice, for two uses. */
  both(x: T): readonly [T, T];
}

export type NetworkName = 'vgg19' | 'resnet18';

// biome-ignore format: one row
const vgg19Widths = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 256, 'M', 512, 512, 512, 512, 'M', 512, 512, 512, 512, 'M'] as const;

/** Logits of the network called `name`. */
export function logitsOf<T>(name: NetworkName, net: Net<T>, x: T): T {
  return name === 'vgg19' ? vgg19(net, x) : resnet18(net, x);
}

function vgg19<T>(net: Net<T>, x: T): T {
  let y = x;
  for (const width of vgg19Widths) {
    y = width === 'M' ? net.maxPool(y) : net.relu(net.norm(net.conv(y, { outputs: width, bias: true })));
  }
  return net.linear(net.dropout(net.flatten(y)));
}

function resnet18<T>(net: Net<T>, x: T): T {
  let y = net.relu(net.norm(net.conv(x, { outputs: 64 })));
  for (const outputs of [64, 128, 256, 512]) {
    y = block(net, y, outputs, outputs === 64 ? 1 : 2);
    y = block(net, y, outputs, 1);
  }
  return net.linear(net.dropout(net.flatten(net.averagePool(y))));
}

function block<T>(net: Net<T>, x: T, outputs: number, stride: number): T {
  const [main, side] = net.both(x);
  const inner = net.relu(net.norm(net.conv(main, { outputs, stride })));
  const y = net.norm(net.conv(inner, { outputs }));
  const shortcut = stride === 1 ? side : net.norm(net.conv(side, { outputs, stride, window: 1 }));
  return net.relu(net.add(y, shortcut));
}

/** A parameter's shape in PyTorch's layout, and its initial values: noise up to `bound`, or one value. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly bound?: number;
  readonly value?: number;
}

/** The parameters of a network, in the order of their use. */
export function parametersOf(name: NetworkName): readonly Parameter[] {
  const list: Parameter[] = [];
  const same = (channels: number): number => channels;
  const channelsOnly: Net<number> = {
    conv(inputs, { outputs, window = 3, bias = false }) {
      list.push({ shape: [outputs, inputs, window, window], bound: Math.sqrt(6 / (inputs * window * window)) });
      if (bias) list.push({ shape: [outputs], value: 0 });
      return outputs;
    },
    norm(channels) {
      list.push({ shape: [channels], value: 1 }, { shape: [channels], value: 0 });
      return channels;
    },
    linear(inputs) {
      list.push({ shape: [classes, inputs], bound: 1 / Math.sqrt(inputs) }, { shape: [classes], value: 0 });
      return classes;
    },
    both: (channels) => [channels, channels],
    add: same,
    relu: same,
    maxPool: same,
    averagePool: same,
    flatten: same,
    dropout: same,
  };
  logitsOf(name, channelsOnly, input.channels);
  return list;
}

/** A parameter's initial values. */
export function valuesOf({ shape, bound, value = 0 }: Parameter): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return bound === undefined ? new Float32Array(size).fill(value) : noise(size, bound);
}

/** `size` numbers from -bound to bound, the same in every process. */
export function noise(size: number, bound = 1): Float32Array {
  let state = 12345;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return bound * (state / 2 ** 31 - 1);
  });
}

/** The factors of dropout: 0 or 2. */
export function dropoutMask(): Float32Array {
  return noise(batch * 512).map((v) => (v > 0 ? 2 : 0));
}

/** Labels of a batch: the classes in turn. */
export function labelsOf(): readonly number[] {
  return Array.from({ length: batch }, (_, i) => i % classes);
}
