// Converts BlazeFace's weights (MediaPipe, Apache-2.0) from the TensorFlow.js graph in `@vladmandic/human` to the safetensors file that
// packages/fer/src/detection/blazeFace.ts reads. Bundles receive it for imports of `blazeface.safetensors`; no file is written.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

const models = join(root, 'packages/fer/node_modules/@vladmandic/human/models');

/**
 * @typedef {{
 *   readonly strides: { readonly list: { readonly i: readonly (string | number)[] } },
 *   readonly ksize: { readonly list: { readonly i: readonly (string | number)[] } },
 *   readonly padding: { readonly s: string },
 *   readonly fused_ops: { readonly list: { readonly s: readonly string[] } },
 * }} Attributes
 * @typedef {{ readonly name: string, readonly op: string, readonly input: readonly string[], readonly attr: Attributes }} Node
 * @typedef {{
 *   readonly modelTopology: { readonly node: readonly Node[] },
 *   readonly weightsManifest: readonly [{ readonly weights: readonly { name: string, shape: number[], dtype: string }[] }],
 * }} Graph
 * @typedef {{ readonly shape: readonly number[], readonly data: Float32Array | Int32Array }} Constant
 * @typedef {{ readonly stride?: number, readonly padding?: string, readonly fused?: string }} Expected
 */

/** Serves the weights as bytes. @type {import('esbuild').Plugin} */
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

/**
 * The bytes of the safetensors file. Throws TypeError if the graph is not the network of blazeFace.ts.
 * @param {object} graph the parsed JSON
 * @param {Uint8Array} weights
 */
export function convertBlazeFace(graph, weights) {
  const { consumers, constant } = readGraph(/** @type {Graph} */ (graph), weights);
  /** @type {Map<string, Constant>} */
  const tensors = new Map();
  /** @param {boolean} condition @param {{ readonly name: string } | null} node @param {string} problem */
  const expect = (condition, node, problem) => {
    if (!condition)
      throw new TypeError(`blazeface: ${node?.name ?? 'the graph'}: ${problem}; has @vladmandic/human changed?`);
  };
  /** The one consumer of `name` with this operation, whose attributes are checked. @param {string} name @param {string} op @param {Expected} [expected] */
  const follow = (name, op, expected = {}) => {
    const found = (consumers.get(name) ?? []).filter((node) => node.op === op);
    expect(found.length === 1, { name }, `expected one consumer ${op}, got ${found.length}`);
    return checked(/** @type {Node} */ (found[0]), expected);
  };
  /** @param {Node} node @param {Expected} expected */
  const checked = (node, { stride, padding, fused }) => {
    const { attr } = node;
    if (stride)
      expect(attr.strides.list.i.join() === `1,${stride},${stride},1`, node, `strides ${attr.strides.list.i}`);
    if (padding) expect(text(attr.padding.s) === padding, node, `padding ${text(attr.padding.s)}`);
    if (fused)
      expect(attr.fused_ops.list.s.map(text).join() === fused, node, `fused ${attr.fused_ops.list.s.map(text)}`);
    return node;
  };
  /** @param {string} name @param {Node} node @param {readonly number[]} order */
  const add = (name, node, order) => {
    const [, weight = '', bias] = node.input;
    tensors.set(`${name}.weight`, permute(constant(weight), order));
    if (bias !== undefined) tensors.set(`${name}.bias`, constant(bias));
    return node;
  };
  const dense = [3, 2, 0, 1]; // [rows, columns, inputs, outputs] to [outputs, inputs, rows, columns]
  const byChannel = [2, 3, 0, 1]; // [rows, columns, channels, 1] to [channels, 1, rows, columns]

  const stem = follow('input', '_FusedConv2D', { stride: 2, padding: 'SAME', fused: 'BiasAdd,Relu' });
  let x = add('stem', stem, dense);
  for (let i = 0; i < 31; i++) {
    const stride = [7, 15, 23].includes(i) ? 2 : 1;
    const depthwise = follow(x.name, 'DepthwiseConv2dNative', { stride, padding: 'SAME' });
    add(`blocks.${i}.separable.depthwise`, depthwise, byChannel);
    const pointwise = follow(depthwise.name, '_FusedConv2D', { stride: 1, padding: 'VALID', fused: 'BiasAdd' });
    add(`blocks.${i}.separable.pointwise`, pointwise, dense);
    let shortcut = x;
    if (stride === 2) {
      shortcut = follow(x.name, 'MaxPool', { stride: 2, padding: 'SAME' });
      expect(shortcut.attr.ksize.list.i.join() === '1,2,2,1', shortcut, `window ${shortcut.attr.ksize.list.i}`);
      const wider = (consumers.get(shortcut.name) ?? []).find((node) => node.op === 'Pad');
      if (wider) {
        const [outputs = 0, inputs = 0] = tensors.get(`blocks.${i}.separable.pointwise.weight`)?.shape ?? [];
        const zeros = constant(wider.input[1] ?? '').data.join();
        expect(zeros === `0,0,0,0,0,0,0,${outputs - inputs}`, wider, `pads by ${zeros}`);
        shortcut = wider;
      }
    }
    const sum = follow(pointwise.name, 'AddV2');
    expect(sum.input.includes(shortcut.name), sum, `does not add ${shortcut.name}`);
    x = follow(sum.name, 'Relu');
  }
  const down = follow(x.name, 'DepthwiseConv2dNative', { stride: 2, padding: 'SAME' });
  add('last.depthwise', down, byChannel);
  const small = follow(down.name, '_FusedConv2D', { stride: 1, padding: 'VALID', fused: 'BiasAdd,Relu' });
  add('last.pointwise', small, dense);
  for (const [name, from] of /** @type {const} */ ([
    ['16', x],
    ['8', small],
  ])) {
    for (const node of (consumers.get(from.name) ?? []).filter(({ op }) => op === '_FusedConv2D')) {
      checked(node, { stride: 1, padding: 'SAME', fused: 'BiasAdd' });
      const reshape = follow(node.name, 'Reshape');
      const [, , columns] = constant(reshape.input[1] ?? '').data;
      expect(columns === 1 || columns === 16, reshape, `gives rows of ${columns}`);
      add(`${columns === 1 ? 'scores' : 'boxes'}${name}`, node, dense);
    }
  }
  expect(tensors.size === 2 + 31 * 3 + 3 + 8, null, `it has ${tensors.size} tensors`);
  return writeHalves(tensors);
}

/** Nodes by their inputs, and constants by name. @param {Graph} graph @param {Uint8Array} bytes */
function readGraph({ modelTopology, weightsManifest }, bytes) {
  /** @type {Map<string, Node[]>} */
  const consumers = new Map();
  for (const node of modelTopology.node) {
    for (const input of node.input ?? []) consumers.set(input, [...(consumers.get(input) ?? []), node]);
  }
  /** @type {Map<string, Constant>} */
  const constants = new Map();
  let at = 0;
  for (const { name, shape, dtype } of weightsManifest[0].weights) {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count);
    constants.set(name, { shape, data: dtype === 'int32' ? new Int32Array(data) : new Float32Array(data) });
    at += 4 * count;
  }
  /** @param {string} name */
  const constant = (name) => {
    const found = constants.get(name);
    if (!found)
      throw new TypeError(`blazeface: ${name || 'an input'} is not a constant; has @vladmandic/human changed?`);
    return found;
  };
  return { consumers, constant };
}

/** @param {string} base64 */
function text(base64) {
  return Buffer.from(base64, 'base64').toString();
}

/** The tensor with its dimensions in the given order. @param {Constant} tensor @param {readonly number[]} order @returns {Constant} */
function permute({ shape, data }, order) {
  const sizes = order.map((dim) => shape[dim] ?? 1);
  const strides = order.map((dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  const out = Float32Array.from(data, (_, i) => {
    let from = 0;
    for (let dim = sizes.length - 1, rest = i; dim >= 0; dim--) {
      const size = sizes[dim] ?? 1;
      from += (rest % size) * (strides[dim] ?? 1);
      rest = Math.floor(rest / size);
    }
    return data[from] ?? Number.NaN;
  });
  return { shape: sizes, data: out };
}

/** The file in float16, the precision of MediaPipe's weights. @param {ReadonlyMap<string, Constant>} tensors */
function writeHalves(tensors) {
  /** @type {Record<string, object>} */
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

/** The bits of a number in IEEE 754 binary16. Throws TypeError if it is not exact. @param {number} value */
function halfOf(value) {
  const magnitude = Math.abs(value);
  const exponent = magnitude === 0 ? -15 : Math.max(-15, Math.floor(Math.log2(magnitude)));
  const step = 2 ** (Math.max(exponent, -14) - 10);
  const fraction = magnitude / step - (exponent >= -14 ? 1024 : 0);
  if (!Number.isInteger(fraction) || exponent > 15) throw new TypeError(`blazeface: ${value} is not a float16`);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
