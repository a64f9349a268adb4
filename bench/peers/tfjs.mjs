// @ts-nocheck: the peers are not installed with the workspace
// tfjs on the backend of the second argument; in Node its wasm backend has one thread (tensorflow/tfjs#3830). Images are [N, H, W, C], the
// layout of its kernels. Running statistics are left out here and in jax.mjs, in their favor.
import { adapterName } from './adapter.mjs';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import { batch, classes, dropoutMask, input, labelsOf, logitsOf, noise, parametersOf, valuesOf } from './networks.ts';
import { expectNumber, runPeer } from './peer.ts';

const backend = process.argv[3];
if (backend === 'wasm') {
  const resolve = createRequire(`${process.env.MIEN_PEERS}/package.json`).resolve;
  setWasmPaths(`${dirname(resolve('@tensorflow/tfjs-backend-wasm'))}/`);
}
if (!(await tf.setBackend(backend))) throw new TypeError(`${backend} does not start on ${adapterName}`);
await tf.ready();

/** A network's operations; `parameters` in the order of `parametersOf`. */
function netOf(parameters, mask) {
  let next = 0;
  const take = () => parameters[next++];
  return {
    conv(x, { window = 3, stride = 1, bias = false }) {
      const y = tf.conv2d(x, take(), stride, window >> 1);
      return bias ? tf.add(y, take()) : y;
    },
    norm(x) {
      const [scale, shift] = [take(), take()];
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.batchNorm(x, mean, variance, shift, scale, 1e-5);
    },
    linear(x) {
      const [weight, bias] = [take(), take()];
      return tf.add(tf.matMul(x, weight, false, true), bias);
    },
    both: (x) => [x, x],
    add: (a, b) => tf.add(a, b),
    relu: (x) => tf.relu(x),
    maxPool: (x) => tf.maxPool(x, 2, 2, 'valid'),
    averagePool: (x) => tf.avgPool(x, 4, 4, 'valid'),
    flatten: (x) => tf.reshape(x, [batch, -1]),
    dropout: (x) => tf.mul(x, mask),
  };
}

function step(name) {
  return async () => {
    const specs = parametersOf(name);
    const parameters = specs.map((each) => tf.variable(tf.tensor(valuesOf(each), shapeOf(each.shape))));
    const velocities = specs.map(({ shape }) => tf.variable(tf.zeros(shapeOf(shape)), false));
    const x = tf.tensor(noise(batch * input.size ** 2 * input.channels), [
      batch,
      input.size,
      input.size,
      input.channels,
    ]);
    const oneHot = tf.oneHot(tf.tensor1d(labelsOf(), 'int32'), classes);
    const mask = tf.tensor(dropoutMask(), [batch, 512]);
    const loss = () => {
      const logits = logitsOf(name, netOf(parameters, mask), x);
      return tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot)), -1 / batch);
    };
    return async () => {
      const value = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(loss, parameters);
        for (const [i, p] of parameters.entries()) {
          const clipped = tf.clipByValue(grads[p.name], -0.1, 0.1);
          velocities[i].assign(tf.add(tf.add(tf.mul(velocities[i], 0.9), clipped), tf.mul(p, 5e-4)));
          p.assign(tf.sub(p, tf.mul(velocities[i], 0.01)));
        }
        return value;
      });
      expectNumber((await value.data())[0]);
      value.dispose();
      await finished(parameters.at(-1));
    };
  };
}

/** PyTorch's [K, C, R, S] as tfjs's [R, S, C, K]; other shapes unchanged. */
function shapeOf(shape) {
  return shape.length === 4 ? [shape[2], shape[3], shape[1], shape[0]] : shape;
}

/** Waits for the device by reading one number of the last result. */
async function finished(y) {
  const one = tf.tidy(() => tf.slice(tf.reshape(y, [-1]), 0, 1));
  const [value] = await one.data();
  one.dispose();
  return value;
}

function done(fn) {
  return async () => {
    const y = tf.tidy(fn);
    expectNumber(await finished(y));
    y.dispose();
  };
}

function gemm(n) {
  return async () => {
    const [a, b] = [tf.tensor(noise(n * n), [n, n]), tf.tensor(noise(n * n, 0.5), [n, n])];
    return done(() => tf.matMul(a, b));
  };
}

const shape = [batch, 44, 44, 64];
const filterShape = [3, 3, 64, 64];
const image = () => tf.tensor(noise(batch * 44 * 44 * 64), shape);
const filter = () => tf.tensor(noise(9 * 64 * 64, 0.05), filterShape);
const attributes = { strides: 1, pad: 1, dataFormat: 'NHWC', dimRoundingMode: undefined };

await runPeer({
  'gemm/512': gemm(512),
  'gemm/1024': gemm(1024),
  'conv64x44/forward': async () => {
    const [x, w] = [image(), filter()];
    return done(() => tf.conv2d(x, w, 1, 1));
  },
  'conv64x44/inputGradient': async () => {
    const [dy, w] = [image(), filter()];
    const inputs = { dy, filter: w };
    return done(() => tf.engine().runKernel('Conv2DBackpropInput', inputs, { ...attributes, inputShape: shape }));
  },
  'conv64x44/weightGradient': async () => {
    const [x, dy] = [image(), image()];
    return done(() => tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape }));
  },
  'step/vgg19/b16': step('vgg19'),
  'step/resnet18/b16': step('resnet18'),
});
