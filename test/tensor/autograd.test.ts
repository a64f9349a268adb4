import {
  DisposedError,
  DtypeError,
  empty,
  GradientError,
  grad,
  keep,
  kernel,
  memory,
  noGrad,
  ones,
  record,
  run,
  ShapeError,
  scope,
  type Tensor,
  tensor,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const vector = (...data: number[]) => reference.values([data.length], data);

test('backward gives the gradients of the README', async () => {
  const x = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );
  x.mul(x).sum().backward();
  await near(x.grad as Tensor, reference.values([2, 2], [2, 4, 6, 8]));
});

test('backward accumulates into an existing gradient', async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  x.sum().backward();
  x.mul(3).sum().backward();
  await near(x.grad as Tensor, vector(4, 4));
});

test('backward adds the gradients of a tensor that is used twice', async () => {
  const x = tensor([2, 3], { requiresGrad: true });
  const y = x.mul(x);
  y.add(y.mul(x)).sum().backward();
  await near(x.grad as Tensor, vector(4 + 12, 6 + 27));
});

test('backward frees the graph, and reports that when it is called again', () => {
  const x = tensor([1], { requiresGrad: true });
  const y = x.exp();
  y.backward();
  refuses(() => y.backward(), GradientError, 'backward: the graph through exp was freed');
});

test('backward with keepGraph can be called again', async () => {
  const x = tensor([2], { requiresGrad: true });
  const y = x.square();
  y.backward(null, { keepGraph: true });
  y.backward();
  await near(x.grad as Tensor, vector(8));
});

test('backward refuses a tensor without gradient, and several elements without an output gradient', () => {
  refuses(() => tensor([1]).backward(), GradientError, 'backward: no leaf before this tensor requires a gradient');
  const x = tensor([1, 2], { requiresGrad: true });
  refuses(() => x.exp().backward(), GradientError, 'backward: [2] has 2 elements');
});

test('noGrad and detach stop gradients', async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  ensure(!noGrad(() => x.exp()).requiresGrad, 'expected no recording in noGrad');
  x.detach().mul(x).sum().backward();
  await near(x.grad as Tensor, vector(1, 2));
});

law('grad of grad of grad is the third derivative', valuesOf([]), async (x) => {
  const third = grad(grad(grad((v) => v.mul(v).mul(v).mul(v))));
  await near(third(toTensor(x)), { shape: [], data: x.data.map((v) => 24 * v) });
});

law('grad of tanh twice is the second derivative of tanh', valuesOf([]), async (x) => {
  const second = grad(grad((v) => v.tanh()));
  const y = reference.tanh(x);
  const expected = reference.mul(reference.mul(y, vector(-2)), reference.sub(vector(1), reference.square(y)));
  await near(second(toTensor(x)), reference.reshape(expected, []));
});

test('grad differentiates by its first argument only and sets no gradients of leaves', async () => {
  const x = tensor([3], { requiresGrad: true });
  const w = tensor([5], { requiresGrad: true });
  const slope = grad((v, u) => v.mul(u as Tensor).sum())(x, w);
  await near(slope, vector(5));
  ensure(x.grad === null && w.grad === null, 'expected no gradient of the leaf');
});

const cube = kernel(`// y[i] = x[i]^3.
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn cube(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.size) { y[id.x] = x[id.x] * x[id.x] * x[id.x]; }
}
`);

/** A user-defined operation, as in the README. */
function cubed(x: Tensor): Tensor {
  const y = empty(x.shape);
  run(cube, { x, y }, { size: x.size }, Math.ceil(x.size / 64));
  return record('cubed', y, { x }, { saves: { x }, backward: (dy, saved) => ({ x: dy.mul(saved.x.square()).mul(3) }) });
}

law('record makes a user-defined operation differentiable', valuesOf([33]), (x) =>
  gradcheck(cubed, (v) => ({ shape: v.shape, data: v.data.map((e) => e ** 3) }), [x]),
);

const tripled = { times: 0 };

/** 3 x, whose result is not saved: backward recomputes it. */
function triple(x: Tensor): Tensor {
  const compute = (of: Tensor): Tensor => {
    tripled.times++;
    return of.detach().mul(3);
  };
  return record(
    'triple',
    compute(x),
    { x },
    { saves: { x }, recompute: (saved) => compute(saved.x), backward: (dy) => ({ x: dy.mul(3) }) },
  );
}

law(
  'recomputed results have the gradients of saved results, also of second order and nested',
  valuesOf([5]),
  async (values) => {
    const at = toTensor(values);
    const f = (y: Tensor): Tensor => y.square().mul(y).sum();
    for (const order of [grad, (fn: (x: Tensor) => Tensor) => grad((x) => grad(fn)(x).sum())]) {
      const actual = order((x) => f(triple(triple(x))))(at);
      const expected = order((x) => f(x.mul(9)))(at);
      await near(actual, { shape: [5], data: Float64Array.from(await expected.data()) });
    }
  },
);

test('recomputed results take no memory until backward, and are computed once per use', () => {
  const x = ones([1000]).detach({ requiresGrad: true });
  const before = memory().liveBytes;
  const y = scope(() => triple(triple(x)).square().sum());
  const kept = memory().liveBytes - before;
  ensure(kept < 4096, `${kept} bytes are kept`);
  tripled.times = 0;
  y.backward(null, { keepGraph: true });
  // square needs the outer result, which needs the inner one.
  ensure(Number(tripled.times) === 2, `computed ${tripled.times} times`);
  y.backward();
  ensure(Number(tripled.times) === 4, `computed ${tripled.times} times`);
  for (const tensor of [y, x]) tensor.dispose();
});

test('a disposed tensor is refused with its shape', () => {
  const kept = scope(() => {
    ones([3]);
    return keep(ones([2]));
  });
  kept.dispose();
  refuses(() => kept.add(1), DisposedError, 'tensor: [2] was disposed of');
});

test('backward works on a result that was returned from its scope', async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = scope(() => x.exp().square().sum());
  y.backward();
  await near(x.grad as Tensor, { shape: [2], data: Float64Array.from([1, 2], (v) => 2 * Math.exp(2 * v)) });
});

test('backward names the operation that returned a gradient of the wrong shape', () => {
  const own = (gradients: unknown) => (x: Tensor) =>
    record('own', x.detach(), { x }, { saves: {}, backward: () => gradients as { x: Tensor } })
      .sum()
      .backward();
  const x = () => tensor([1, 2], { requiresGrad: true });
  refuses(
    () => own({ x: ones([3]) })(x()),
    ShapeError,
    "own: backward must return a gradient of x's shape [2], got [3]",
  );
  refuses(
    () => own({ x: ones([2], { dtype: 'int32' }) })(x()),
    DtypeError,
    'own: backward: expected the gradient of x to be',
  );
  refuses(() => own({ w: ones([2]) })(x()), GradientError, 'own: backward returned a gradient for w');
  refuses(() => own(undefined)(x()), GradientError, 'own: backward returned nothing');
  refuses(() => own({ x: 3 })(x()), GradientError, 'own: backward must return a tensor for x, got 3');
});

law(
  'the gradient penalty of grad(fn) by variables captured by fn equals finite differences',
  fc.record({ x: valuesOf([3, 2]), w: valuesOf([2, 4]), u: valuesOf([4, 1]) }),
  async ({ x, w, u }) => {
    // WGAN-GP (Gulrajani et al., 2017): distance of the critic's gradient norm from 1, at constant points.
    const penalty = (weights: Tensor, last: Tensor): Tensor => {
      const critic = (points: Tensor): Tensor => points.matmul(weights).tanh().matmul(last).sum();
      const slope = grad(critic)(toTensor(x));
      return slope.square().sum([1]).add(0.1).sqrt().sub(1).square().mean();
    };
    await gradcheck(
      penalty,
      (weights, last) => {
        const inner = reference.tanh(reference.matmul(x, weights));
        const slopes = reference.mul(
          reference.sub(reference.values([], [1]), reference.square(inner)),
          reference.reshape(last, [1, 4]),
        );
        const slope = reference.matmul(slopes, reference.transpose(weights, 0, 1));
        const norms = reference.sqrt(
          reference.add(reference.sum(reference.square(slope), [1]), reference.values([], [0.1])),
        );
        return reference.mean(reference.square(reference.sub(norms, reference.values([], [1]))));
      },
      [w, u],
    );
  },
);

test('grad of a function without other leaves gives a constant', () => {
  const slope = grad((x) => x.square().sum())(tensor([1, 2]));
  ensure(!slope.requiresGrad, 'expected no gradient');
});
