// VGG19 and ResNet18 as @mien/fer has them, told to a peer by its own operations. `both` is a value for two uses.

export const batch = 16;
export const classes = 7;
export const input = { channels: 3, size: 44 };

// biome-ignore format: one row a stage
const vgg19Widths = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 256, 'M', 512, 512, 512, 512, 'M', 512, 512, 512, 512, 'M'];

export const networks = {
  vgg19(net, x) {
    let y = x;
    for (const width of vgg19Widths) {
      y = width === 'M' ? net.maxPool(y) : net.relu(net.norm(net.conv(y, { outputs: width, bias: true })));
    }
    return net.linear(net.dropout(net.flatten(y)));
  },
  resnet18(net, x) {
    let y = net.relu(net.norm(net.conv(x, { outputs: 64 })));
    for (const [outputs, stride] of [
      [64, 1],
      [128, 2],
      [256, 2],
      [512, 2],
    ]) {
      y = block(net, y, outputs, stride, outputs === 64);
      y = block(net, y, outputs, 1, true);
    }
    return net.linear(net.dropout(net.flatten(net.averagePool(y))));
  },
};

function block(net, x, outputs, stride, same) {
  const [main, side] = net.both(x);
  const inner = net.relu(net.norm(net.conv(main, { outputs, stride })));
  const y = net.norm(net.conv(inner, { outputs }));
  return net.relu(net.add(y, same ? side : net.norm(net.conv(side, { outputs, stride, window: 1 }))));
}

/** What a network learns, in the order in which it asks for it: shapes as PyTorch has them, and how they begin. */
export function parametersOf(name) {
  const list = [];
  const same = (channels) => channels;
  networks[name](
    {
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
    },
    input.channels,
  );
  return list;
}

/** The numbers that a parameter begins with. */
export function valuesOf({ shape, bound, value }) {
  const size = shape.reduce((product, length) => product * length, 1);
  return bound === undefined ? new Float32Array(size).fill(value) : noise(size, bound);
}

/** `size` numbers from -bound to bound, the same in every process. */
export function noise(size, bound = 1) {
  let state = 12345;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return bound * (state / 2 ** 31 - 1);
  });
}

/** What dropout multiplies by: 0 or 2. */
export function dropoutMask() {
  return noise(batch * 512).map((v) => (v > 0 ? 2 : 0));
}

/** Labels of a batch, in turn. */
export function labelsOf() {
  return Array.from({ length: batch }, (_, i) => i % classes);
}
