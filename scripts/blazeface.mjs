// BlazeFace's weights, from the graph that `@vladmandic/human` carries (TensorFlow.js, MediaPipe's weights, Apache-2.0) to
// the safetensors file that packages/fer/src/detection/blazeFace.ts reads. Bundles are given it wherever they import
// `blazeface.safetensors`: nothing is written, so that nothing has to be kept up to date.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

const models = join(root, 'packages/fer/node_modules/@vladmandic/human/models');

/** The plugin of esbuild that serves the weights as bytes. */
export const blazeFaceWeights = {
  name: 'blazeface-weights',
  setup(build) {
    build.onResolve({ filter: /\/blazeface\.safetensors$/ }, ({ path }) => ({ path, namespace: 'blazeface' }));
    build.onLoad({ filter: /.*/, namespace: 'blazeface' }, () => ({
      contents: convertBlazeFace(
        JSON.parse(readFileSync(join(models, 'blazeface.json'), 'utf8')),
        readFileSync(join(models, 'blazeface.bin')),
      ),
      loader: 'binary',
    }));
  },
};

/** The bytes of the safetensors file. Throws where the graph is not the one that our network computes. */
export function convertBlazeFace(graph, weights) {
  const { consumers, constant } = readGraph(graph, weights);
  const tensors = new Map();
  const expect = (truth, node, what) => {
    if (!truth) throw new TypeError(`blazeface: ${node?.name ?? 'the graph'}: ${what}; has @vladmandic/human changed?`);
  };
  /** The one consumer of `name` with this operation, and what it must say of stride, padding and fused operations. */
  const follow = (name, op, { stride, padding, fused } = {}) => {
    const found = (consumers.get(name) ?? []).filter((node) => node.op === op);
    expect(found.length === 1, { name }, `${found.length} times ${op} after it, expected one`);
    return checked(found[0], { stride, padding, fused });
  };
  const checked = (node, { stride, padding, fused }) => {
    const { attr } = node;
    if (stride)
      expect(attr.strides.list.i.join() === `1,${stride},${stride},1`, node, `strides ${attr.strides.list.i}`);
    if (padding) expect(text(attr.padding.s) === padding, node, `padding ${text(attr.padding.s)}`);
    if (fused)
      expect(attr.fused_ops.list.s.map(text).join() === fused, node, `fused ${attr.fused_ops.list.s.map(text)}`);
    return node;
  };
  const keep = (name, node, transposed) => {
    const weight = constant(node.input[1]);
    tensors.set(`${name}.weight`, permute(weight, transposed));
    if (node.input.length > 2) tensors.set(`${name}.bias`, constant(node.input[2]));
    return node;
  };
  const dense = [3, 2, 0, 1]; // [rows, columns, inputs, outputs] to [outputs, inputs, rows, columns]
  const byChannel = [2, 3, 0, 1]; // [rows, columns, channels, 1] to [channels, 1, rows, columns]

  const stem = follow('input', '_FusedConv2D', { stride: 2, padding: 'SAME', fused: 'BiasAdd,Relu' });
  let x = keep('stem', stem, dense);
  for (let i = 0; i < 31; i++) {
    const stride = [7, 15, 23].includes(i) ? 2 : 1;
    const depthwise = follow(x.name, 'DepthwiseConv2dNative', { stride, padding: 'SAME' });
    keep(`blocks.${i}.separable.depthwise`, depthwise, byChannel);
    const pointwise = follow(depthwise.name, '_FusedConv2D', { stride: 1, padding: 'VALID', fused: 'BiasAdd' });
    keep(`blocks.${i}.separable.pointwise`, pointwise, dense);
    let shortcut = x;
    if (stride === 2) {
      shortcut = follow(x.name, 'MaxPool', { stride: 2, padding: 'SAME' });
      expect(shortcut.attr.ksize.list.i.join() === '1,2,2,1', shortcut, `window ${shortcut.attr.ksize.list.i}`);
      const wider = (consumers.get(shortcut.name) ?? []).find((node) => node.op === 'Pad');
      if (wider) {
        const grown = tensors.get(`blocks.${i}.separable.pointwise.weight`).shape;
        const zeros = [...constant(wider.input[1]).data].join();
        expect(zeros === `0,0,0,0,0,0,0,${grown[0] - grown[1]}`, wider, `pads by ${zeros}`);
        shortcut = wider;
      }
    }
    const sum = follow(pointwise.name, 'AddV2');
    expect(sum.input.includes(shortcut.name), sum, `does not add ${shortcut.name}`);
    x = follow(sum.name, 'Relu');
  }
  const down = follow(x.name, 'DepthwiseConv2dNative', { stride: 2, padding: 'SAME' });
  keep('last.depthwise', down, byChannel);
  const small = follow(down.name, '_FusedConv2D', { stride: 1, padding: 'VALID', fused: 'BiasAdd,Relu' });
  keep('last.pointwise', small, dense);
  for (const [name, from] of [
    ['16', x],
    ['8', small],
  ]) {
    for (const node of consumers.get(from.name).filter(({ op }) => op === '_FusedConv2D')) {
      checked(node, { stride: 1, padding: 'SAME', fused: 'BiasAdd' });
      const reshape = follow(node.name, 'Reshape');
      const [, , columns] = constant(reshape.input[1]).data;
      expect(columns === 1 || columns === 16, reshape, `gives rows of ${columns}`);
      keep(`${columns === 1 ? 'scores' : 'boxes'}${name}`, node, dense);
    }
  }
  expect(tensors.size === 2 + 31 * 3 + 3 + 8, null, `${tensors.size} tensors were found`);
  return writeHalves(tensors);
}

/** Nodes by what they read, and constants by name. */
function readGraph({ modelTopology, weightsManifest }, bytes) {
  const consumers = new Map();
  for (const node of modelTopology.node) {
    for (const input of node.input ?? []) consumers.set(input, [...(consumers.get(input) ?? []), node]);
  }
  const constants = new Map();
  let at = 0;
  for (const { name, shape, dtype } of weightsManifest[0].weights) {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count);
    constants.set(name, { shape, data: dtype === 'int32' ? new Int32Array(data) : new Float32Array(data) });
    at += 4 * count;
  }
  return { consumers, constant: (name) => constants.get(name) };
}

function text(base64) {
  return Buffer.from(base64, 'base64').toString();
}

/** A tensor with its dimensions in another order. */
function permute({ shape, data }, order) {
  const sizes = order.map((dim) => shape[dim]);
  const strides = order.map((dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  const out = Float32Array.from(data, (_, i) => {
    let from = 0;
    for (let dim = sizes.length - 1, rest = i; dim >= 0; dim--) {
      from += (rest % sizes[dim]) * strides[dim];
      rest = Math.floor(rest / sizes[dim]);
    }
    return data[from];
  });
  return { shape: sizes, data: out };
}

/** The file, in float16: MediaPipe's weights are, so that nothing is lost, which is checked. */
function writeHalves(tensors) {
  const header = {
    __metadata__: { source: 'MediaPipe BlazeFace (back), by way of @vladmandic/human 3.3.6', license: 'Apache-2.0' },
  };
  const parts = [];
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F16', shape, data_offsets: [end, end + 2 * data.length] };
    parts.push(Buffer.from(Uint16Array.from(data, halfOf).buffer));
    end += 2 * data.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8));
  json.copy(head, 8);
  return Buffer.concat([head, ...parts]);
}

/** The bits of a number as IEEE 754 binary16. Throws where it has none. */
function halfOf(value) {
  const magnitude = Math.abs(value);
  const exponent = magnitude === 0 ? -15 : Math.max(-15, Math.floor(Math.log2(magnitude)));
  const step = 2 ** (Math.max(exponent, -14) - 10);
  const fraction = magnitude / step - (exponent >= -14 ? 1024 : 0);
  if (!Number.isInteger(fraction) || exponent > 15) throw new TypeError(`blazeface: ${value} is no float16`);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
