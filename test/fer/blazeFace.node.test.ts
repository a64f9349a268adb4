// The detector's network against the TensorFlow graph of its weights, computed node by node in float64.
import { readFileSync } from 'node:fs';
import { BlazeFace } from '@mien/fer';
import { blazeFaceWeights } from '@mien/fer/blazeface';
import { noGrad, scope, tensor } from '@mien/tensor';
import { summed } from '@mien/tensor/reference';
import { nearValues } from '@mien/tensor/testing';
import * as assert from 'uvu/assert';
import { convertBlazeFace } from '../../scripts/blazeface.mjs';
import { test } from '../harness.ts';

interface Attribute {
  readonly s?: string;
  readonly list?: { readonly i?: string[]; readonly s?: string[] };
}

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

interface Graph {
  readonly modelTopology: { readonly node: readonly GraphNode[] };
  readonly weightsManifest: readonly {
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[];
  }[];
}

/** Values in TensorFlow's layout, [rows, columns, channels], without the batch dimension. */
interface Plane {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const models = 'packages/fer/node_modules/@vladmandic/human/models';
const graphOf = (): Graph => JSON.parse(readFileSync(`${models}/blazeface.json`, 'utf8'));
const weights = (): Buffer => readFileSync(`${models}/blazeface.bin`);

/** The graph's outputs for x [256, 256, 3], by TensorFlow's definitions of the nodes. */
function execute({ modelTopology, weightsManifest }: Graph, x: Plane): Map<string, Plane> {
  const values = new Map<string, Plane>([['input', x]]);
  const bytes = weights();
  let at = 0;
  for (const { name, shape, dtype } of weightsManifest[0]?.weights ?? []) {
    const count = shape.reduce((product, size) => product * size, 1);
    const read = (i: number): number => (dtype === 'int32' ? bytes.readInt32LE(i) : bytes.readFloatLE(i));
    values.set(name, { shape, data: Float64Array.from({ length: count }, (_, i) => read(at + 4 * i)) });
    at += 4 * count;
  }
  for (const node of modelTopology.node) {
    if (node.op === 'Const' || node.op === 'Placeholder') continue;
    values.set(
      node.name,
      compute(
        node,
        (node.input ?? []).map((name) => values.get(name) as Plane),
      ),
    );
  }
  return values;
}

function compute({ op, attr = {} }: GraphNode, [x, second, third]: Plane[]): Plane {
  const a = x as Plane;
  const b = second as Plane;
  const stride = Number(attr.strides?.list?.i?.[1]);
  if (op === 'Identity') return a;
  if (op === 'Reshape') return { shape: Array.from(b.data).slice(1), data: a.data };
  if (op === 'Relu') return { shape: a.shape, data: a.data.map((v) => Math.max(v, 0)) };
  if (op === 'AddV2') return { shape: a.shape, data: a.data.map((v, i) => v + (b.data[i] as number)) };
  if (op === 'Pad') {
    const [h, w, c] = a.shape as [number, number, number];
    const channels = c + (b.data[7] as number);
    const data = new Float64Array(h * w * channels);
    for (let i = 0; i < h * w * c; i++) data[Math.floor(i / c) * channels + (i % c)] = a.data[i] as number;
    return { shape: [h, w, channels], data };
  }
  const same = Buffer.from(attr.padding?.s ?? '', 'base64').toString() === 'SAME';
  const [h, w, channels] = a.shape as [number, number, number];
  const window = op === 'MaxPool' ? 2 : (b.shape[0] as number);
  const outputs = op === '_FusedConv2D' ? (b.shape[3] as number) : channels;
  const fused = (attr.fused_ops?.list?.s ?? []).map((word) => Buffer.from(word, 'base64').toString());
  const size = (length: number): number => Math.ceil((same ? length : length - window + 1) / stride);
  // SAME: zero padding for ceil(length / stride) windows; an odd row is added at the end.
  const before = same ? Math.floor(Math.max(0, (size(h) - 1) * stride + window - h) / 2) : 0;
  const [rows, columns] = [size(h), size(w)];
  const data = new Float64Array(rows * columns * outputs);
  for (let y = 0; y < rows; y++) {
    for (let z = 0; z < columns; z++) {
      const out = (y * columns + z) * outputs;
      if (op === 'MaxPool') data.fill(Number.NEGATIVE_INFINITY, out, out + outputs);
      if (third) for (let k = 0; k < outputs; k++) data[out + k] = third.data[k] as number;
      for (let r = 0; r < window; r++) {
        for (let s = 0; s < window; s++) {
          const [row, column] = [y * stride + r - before, z * stride + s - before];
          if (row < 0 || row >= h || column < 0 || column >= w) continue;
          const from = (row * w + column) * channels;
          const tap = (r * window + s) * channels;
          for (let c = 0; c < channels; c++) {
            const value = a.data[from + c] as number;
            if (op === 'MaxPool') data[out + c] = Math.max(data[out + c] as number, value);
            else if (op === 'DepthwiseConv2dNative') {
              data[out + c] = (data[out + c] as number) + value * (b.data[tap + c] as number);
            } else {
              const weight = (tap + c) * outputs;
              for (let k = 0; k < outputs; k++) {
                data[out + k] = (data[out + k] as number) + value * (b.data[weight + k] as number);
              }
            }
          }
        }
      }
    }
  }
  if (fused.includes('Relu')) for (const [i, value] of data.entries()) data[i] = Math.max(value, 0);
  return { shape: [rows, columns, outputs], data };
}

/** Rounding errors of successive layers accumulate like a sum of this many terms: 33 pairs of up to 96 and 9 terms. */
const terms = 4096;

test(
  'BlazeFace equals the TensorFlow graph of its weights in scores and boxes',
  async () => {
    // Smooth stripes with noise: values of all sizes at all positions, edges included.
    const shape = [256, 256, 3];
    const data = Float64Array.from({ length: 256 * 256 * 3 }, (_, i) => {
      const [pixel, channel] = [Math.floor(i / 3), i % 3];
      const [row, column] = [Math.floor(pixel / 256), pixel % 256];
      return Math.fround(0.6 * Math.sin(row / 9 + channel) * Math.cos(column / 13) + ((i * 7919) % 83) / 104 - 0.4);
    });
    const expected = execute(graphOf(), { shape, data });
    using net = BlazeFace.from(blazeFaceWeights);
    const x = tensor({ shape: [1, ...shape], data });
    const { scores, boxes } = scope(() => noGrad(() => net.forward(x.permute([0, 3, 1, 2]))));
    for (const [i, name] of ['Identity', 'Identity_1'].entries()) {
      assert.equal(scores[i]?.shape, [1, [512, 384][i], 1]);
      nearValues((await scores[i]?.data()) ?? [], summed(expected.get(name)?.data ?? [], terms));
    }
    for (const [i, name] of ['Identity_2', 'Identity_3'].entries()) {
      nearValues((await boxes[i]?.data()) ?? [], summed(expected.get(name)?.data ?? [], terms));
    }
    for (const each of [x, ...scores, ...boxes]) each.dispose();
  },
  { seconds: 240 },
);

test('convertBlazeFace refuses a graph that the network does not compute, by the name of the node', () => {
  const broken = (change: (node: GraphNode) => void, op: string): Graph => {
    const graph = graphOf();
    change(graph.modelTopology.node.filter((node) => node.op === op)[7] as GraphNode);
    return graph;
  };
  const stride = broken(
    (node) => Object.assign(node.attr?.strides?.list ?? {}, { i: ['1', '1', '1', '1'] }),
    'DepthwiseConv2dNative',
  );
  assert.throws(() => convertBlazeFace(stride, weights()), /depthwise_conv2d_7\/depthwise: strides 1,1,1,1/);
  const other = broken((node) => Object.assign(node, { op: 'Elu' }), 'Relu');
  assert.throws(() => convertBlazeFace(other, weights()), /expected one consumer Relu, got 0/);
  assert.equal(convertBlazeFace(graphOf(), weights()), Buffer.from(blazeFaceWeights));
});
