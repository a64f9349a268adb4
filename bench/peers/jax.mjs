// @ts-nocheck: the peers are not installed with the workspace
// jax-js on WebGPU. Functions consume their arguments; `ref` is another reference.
import './adapter.mjs';
import { blockUntilReady, defaultDevice, grad, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { batch, classes, dropoutMask, input, labelsOf, logitsOf, noise, parametersOf, valuesOf } from './networks.ts';
import { expectNumber, runPeer } from './peer.ts';

await init('webgpu');
defaultDevice('webgpu');

const array = (values, shape) => np.array(values).reshape(shape);

/** A network's operations inside a trace; `parameters` in the order of `parametersOf`. */
function netOf(parameters, mask) {
  let next = 0;
  const take = () => parameters[next++];
  const perChannel = (v) => v.reshape([1, -1, 1, 1]);
  return {
    conv(x, { window = 3, stride = 1, bias = false }) {
      const pad = [window >> 1, window >> 1];
      const y = lax.convGeneralDilated(x, take(), [stride, stride], [pad, pad]);
      return bias ? y.add(perChannel(take())) : y;
    },
    norm(x) {
      const [scale, shift] = [take(), take()];
      const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true });
      const centered = x.sub(mean);
      const variance = np.mean(np.square(centered.ref), [0, 2, 3], { keepdims: true });
      const deviation = np.sqrt(variance.add(1e-5));
      return centered.div(deviation).mul(perChannel(scale)).add(perChannel(shift));
    },
    linear(x) {
      const [weight, bias] = [take(), take()];
      return np.matmul(x, weight.transpose()).add(bias);
    },
    both: (x) => [x.ref, x],
    add: (a, b) => a.add(b),
    relu: (x) => nn.relu(x),
    maxPool: (x) => {
      const [n, c, h, w] = x.shape;
      const even = h % 2 === 0 ? x : x.slice([], [], [0, h - 1], [0, w - 1]);
      return np.max(even.reshape([n, c, h >> 1, 2, w >> 1, 2]), [3, 5]);
    },
    averagePool: (x) => np.mean(x.slice([], [], [0, 4], [0, 4]), [2, 3]),
    flatten: (x) => x.reshape([batch, -1]),
    dropout: (x) => x.mul(mask),
  };
}

function step(name) {
  return async () => {
    let parameters = parametersOf(name).map((each) => array(valuesOf(each), each.shape));
    let velocities = parametersOf(name).map(({ shape }) => np.zeros(shape));
    const x = array(noise(batch * input.channels * input.size ** 2), [batch, input.channels, input.size, input.size]);
    const oneHot = nn.oneHot(np.array(labelsOf(), { dtype: np.int32 }), classes);
    const mask = array(dropoutMask(), [batch, 512]);
    const loss = (learned, images, labels, mask) => {
      const logits = logitsOf(name, netOf(learned, mask), images);
      return nn
        .logSoftmax(logits)
        .mul(labels)
        .sum()
        .mul(-1 / batch);
    };
    const gradients = jit(valueAndGrad(loss));
    const update = jit((p, v, g) => {
      const velocity = v
        .mul(0.9)
        .add(np.clip(g, -0.1, 0.1))
        .add(p.ref.mul(5e-4));
      return [p.sub(velocity.ref.mul(0.01)), velocity];
    });
    return async () => {
      const [value, grads] = gradients(
        parameters.map((p) => p.ref),
        x.ref,
        oneHot.ref,
        mask.ref,
      );
      const updated = parameters.map((p, i) => update(p, velocities[i], grads[i]));
      parameters = updated.map(([p]) => p);
      velocities = updated.map(([, v]) => v);
      expectNumber((await value.data())[0]);
      await blockUntilReady(parameters.map((p) => p));
    };
  };
}

function gemm(n) {
  return async () => {
    const [a, b] = [array(noise(n * n), [n, n]), array(noise(n * n), [n, n])];
    const product = jit((x, y) => np.matmul(x, y));
    return done(() => product(a.ref, b.ref));
  };
}

/** Runs `fn` and waits for its result. */
function done(fn) {
  return async () => {
    const y = fn();
    await blockUntilReady(y);
    y.dispose();
  };
}

const conv = (x, w) =>
  lax.convGeneralDilated(
    x,
    w,
    [1, 1],
    [
      [1, 1],
      [1, 1],
    ],
  );
const image = () => array(noise(batch * 64 * 44 * 44), [batch, 64, 44, 44]);
const weight = () => array(noise(64 * 64 * 9, 0.05), [64, 64, 3, 3]);

/** The gradient of sum(conv(x, w) dy) with respect to argument `argument`, which is one pass. */
function convGradient(argument) {
  return async () => {
    const [x, w, dy] = [image(), weight(), image()];
    const by = jit(grad((a, b, c) => conv(a, b).mul(c).sum(), { argnums: argument }));
    return done(() => by(x.ref, w.ref, dy.ref));
  };
}

await runPeer({
  'gemm/512': gemm(512),
  'gemm/1024': gemm(1024),
  'conv64x44/forward': async () => {
    const [x, w] = [image(), weight()];
    const forward = jit(conv);
    return done(() => forward(x.ref, w.ref));
  },
  'conv64x44/inputGradient': convGradient(0),
  'conv64x44/weightGradient': convGradient(1),
  'step/vgg19/b16': step('vgg19'),
  'step/resnet18/b16': step('resnet18'),
});
