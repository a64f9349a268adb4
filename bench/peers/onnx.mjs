// @ts-nocheck: the peers are not installed with the workspace
// onnxruntime-node on WebGPU, with its own Dawn and the system's first adapter. Forward only.
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { batch, input, logitsOf, noise, parametersOf, valuesOf } from './networks.ts';
import { Graph } from './onnxModel.ts';
import { expectNumber, runPeer } from './peer.ts';

/** A network's operations as nodes of a graph. */
function netOf(graph, name) {
  const specs = parametersOf(name).map((each) => ({ ...each, values: valuesOf(each) }));
  let next = 0;
  const take = () => {
    const { values, shape } = specs[next++];
    return { weight: graph.weight(values, shape), channels: shape[0] };
  };
  return {
    conv(x, { window = 3, stride = 1, bias = false }) {
      const pad = window >> 1;
      const learnt = [take().weight, ...(bias ? [take().weight] : [])];
      const sizes = { kernel_shape: [window, window], strides: [stride, stride], pads: [pad, pad, pad, pad] };
      return graph.node('Conv', [x, ...learnt], sizes);
    },
    norm(x) {
      const [scale, shift] = [take(), take()];
      const running = [0, 1].map((value) =>
        graph.weight(new Float32Array(scale.channels).fill(value), [scale.channels]),
      );
      return graph.node('BatchNormalization', [x, scale.weight, shift.weight, ...running]);
    },
    linear: (x) => graph.node('Gemm', [x, take().weight, take().weight], { transB: 1 }),
    both: (x) => [x, x],
    add: (a, b) => graph.node('Add', [a, b]),
    relu: (x) => graph.node('Relu', [x]),
    maxPool: (x) => graph.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }),
    averagePool: (x) => graph.node('AveragePool', [x], { kernel_shape: [4, 4], strides: [4, 4] }),
    flatten: (x) => graph.node('Flatten', [x]),
    dropout: (x) => x,
  };
}

/** Runs a graph from `inputs`, names with shapes, to `output`. */
async function session(graph, inputs, output) {
  const made = await InferenceSession.create(graph.bytes(inputs, output), {
    executionProviders: [{ name: 'webgpu' }],
    logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return [name, new Tensor('float32', noise(size), shape)];
    }),
  );
  return async () => {
    const { [output]: y } = await made.run(feeds);
    expectNumber((await y.getData())[1]);
  };
}

function gemm(n) {
  return async () => {
    const graph = new Graph();
    const weight = graph.weight(noise(n * n, 0.5), [n, n]);
    return session(graph, { x: [n, n] }, graph.node('MatMul', ['x', weight]));
  };
}

function forward(name) {
  return async () => {
    const graph = new Graph();
    const output = logitsOf(name, netOf(graph, name), 'x');
    return session(graph, { x: [batch, input.channels, input.size, input.size] }, output);
  };
}

const noGradients = 'onnxruntime-node has no gradients';

await runPeer(
  {
    'gemm/512': gemm(512),
    'gemm/1024': gemm(1024),
    'conv64x44/forward': async () => {
      const graph = new Graph();
      const weight = graph.weight(noise(64 * 64 * 9, 0.05), [64, 64, 3, 3]);
      const y = graph.node('Conv', ['x', weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
      return session(graph, { x: [batch, 64, 44, 44] }, y);
    },
    'forward/vgg19/b16': forward('vgg19'),
    'forward/resnet18/b16': forward('resnet18'),
  },
  {
    'conv64x44/inputGradient': noGradients,
    'conv64x44/weightGradient': noGradients,
    'step/vgg19/b16': noGradients,
    'step/resnet18/b16': noGradients,
  },
);
