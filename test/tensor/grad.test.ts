// grad(outputs, inputs), ownership of gradients, and the text of tensors.
import {
  batchNorm,
  DtypeError,
  GradientError,
  grad,
  keep,
  memory,
  ones,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  ValueError,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const vector = (...data: number[]) => reference.values([data.length], data);
const leaf = (...data: number[]): Tensor => tensor(data, { requiresGrad: true });
const gradientOf = (x: Tensor): Tensor => x.grad as Tensor;
const pairs = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([n, m]) => fc.tuple(valuesOf([n, m]), valuesOf([m, m])));

/** An operation whose gradients are those that grad(outputs, inputs) gives for `op`. */
function throughGrad(op: (x: Tensor, w: Tensor) => Tensor): (x: Tensor, w: Tensor) => Tensor {
  return (x, w) => {
    const y = op(x, w);
    const ready = ones(y.shape, { requiresGrad: true });
    const [dx, dw] = grad(y, [x, w], { gradOutputs: ready, createGraph: true }) as [Tensor, Tensor];
    // Linear in `ready`: its derivative by it along v is the directional derivative along v of op.
    const along = dx.mul(x).sum().add(dw.mul(w).sum());
    return grad(along, [ready], { createGraph: true })[0] as Tensor;
  };
}

law(
  'grad of outputs by inputs equals what backward adds to .grad, and does not change .grad',
  pairs,
  async (values) => {
    const [a, b] = values.map((each) => toTensor(each, { requiresGrad: true })) as [Tensor, Tensor];
    const loss = (): Tensor => a.matmul(b).tanh().square().sum();
    const [da, db] = grad(loss(), [a, b]) as [Tensor, Tensor];
    ensure(a.grad === null && b.grad === null, 'grad set a gradient');
    loss().backward();
    for (const [actual, x] of [[da, a] as const, [db, b] as const]) {
      ensure((await actual.data()).join() === (await gradientOf(x).data()).join(), 'expected equal gradients');
    }
  },
);

law('grad of grad of outputs is the second derivative', valuesOf([5]), async (values) => {
  const x = toTensor(values, { requiresGrad: true });
  const [slope] = grad(x.mul(x).mul(x).sum(), x, { createGraph: true }) as [Tensor];
  const [second] = grad(slope.sum(), x) as [Tensor];
  await near(second, { shape: [5], data: values.data.map((v) => 6 * v) });
});

law('the gradient of grad with createGraph is that of the directional derivative', pairs, ([x, w]) =>
  gradcheck(
    throughGrad((a, b) => a.matmul(b)),
    // x.(dy/dx) + w.(dy/dw) of a product is twice the product.
    (a, b) => reference.mul(reference.matmul(a, b), vector(2)),
    [x, w],
  ),
);

test('grad of outputs accepts results of operations as inputs, also nested and repeated', async () => {
  const x = leaf(1, 2);
  const y = x.square();
  const z = y.mul(x).sum();
  const [dx, dy, again] = grad(z, [x, y, y]) as [Tensor, Tensor, Tensor];
  await near(dx, vector(3, 12));
  await near(dy, vector(1, 2));
  dy.dispose();
  await near(again, vector(1, 2));
});

test('grad of outputs adds the gradients of several outputs, each with its gradOutputs', async () => {
  const x = leaf(1, 2);
  const outputs = [x.square(), x.sum()];
  const [dx] = grad(outputs, x, { gradOutputs: [tensor([1, 10]), null] });
  await near(dx as Tensor, vector(3, 41));
  const [own] = grad(x, [x], { gradOutputs: tensor([3, 4]) });
  await near(own as Tensor, vector(3, 4));
});

test('grad of outputs computes only paths to its inputs, and keeps the rest of the graph', async () => {
  const [x, w] = [leaf(1, 2), leaf(3, 4)];
  const inner = x.exp();
  const loss = inner.mul(w).sum();
  const [dw] = grad(loss, [w]);
  await near(dw as Tensor, reference.exp(vector(1, 2)));
  inner.sum().backward();
  await near(x.grad as Tensor, reference.exp(vector(1, 2)));
});

test('grad of outputs frees the graph that it used unless it is kept', async () => {
  const x = leaf(2);
  const y = x.exp().square();
  grad(y, x, { keepGraph: true });
  grad(y, x);
  refuses(() => grad(y, x), GradientError, 'was freed by an earlier backward');
});

test('grad of outputs computes what batchNorm recomputes', async () => {
  const x = tensor(
    [
      [1, 2],
      [3, 5],
      [4, 9],
    ],
    { requiresGrad: true },
  );
  const loss = (): Tensor =>
    batchNorm(x, { weight: null, bias: null, runningMean: null, runningVar: null, training: true })
      .relu()
      .square()
      .sum();
  const [dx] = grad(loss(), [x]) as [Tensor];
  loss().backward();
  ensure((await dx.data()).join() === (await (x.grad as Tensor).data()).join(), 'expected equal gradients');
});

test('grad of outputs refuses unused inputs by index unless allowUnused, and inputs without gradient', () => {
  const [x, w] = [leaf(1), leaf(2, 3)];
  const message = 'grad: the outputs do not depend on input 1 [2]; leave it out, or pass allowUnused: true';
  refuses(() => grad(x.exp(), [x, w]), GradientError, message);
  const [dx, dw] = grad(x.exp(), [x, w], { allowUnused: true });
  ensure(dx !== null && dw === null, 'expected null for w');
  refuses(() => grad(x.exp(), tensor([1])), GradientError, 'grad: input 0 [1] requires no gradient');
  refuses(
    () => grad(tensor([1]), x),
    GradientError,
    'grad: output 0 [1] depends on no tensor that requires a gradient',
  );
  refuses(() => grad(w.exp(), w), GradientError, 'grad: output 0 [2] has 2 elements');
});

test('grad of outputs refuses arguments of the wrong kind', () => {
  const x = leaf(1, 2);
  refuses(() => grad(x.sum(), []), ValueError, 'grad: inputs must not be empty, got an array of 0');
  refuses(() => grad(x.sum(), [3 as unknown as Tensor]), ValueError, 'grad: inputs 0 must be a tensor, got 3');
  refuses(() => grad(x.sum() as never), ValueError, 'grad: expected a function, got a tensor []');
  refuses(
    () => grad(x.exp(), x, { gradOutputs: [] }),
    ValueError,
    'grad: expected a gradient for each of 1 outputs, got 0',
  );
  refuses(
    () => grad(x.exp(), x, { gradOutputs: ones([3]) }),
    ShapeError,
    'grad: output 0 [2] needs a gradient of its shape, got [3]',
  );
  refuses(() => grad(x.exp(), x, { gradOutputs: ones([2], { dtype: 'int32' }) }), DtypeError, 'gradOutputs 0');
});

test('grad of outputs in a scope, and accumulation by backward, hold no memory afterwards', () => {
  const x = leaf(1, 2);
  const bytes: number[] = [];
  for (let step = 0; step < 4; step++) {
    scope(() => void grad(x.square().add(1).sum(), x));
    scope(() => x.add(1).sum().backward());
    x.grad = null;
    bytes.push(memory().liveBytes);
  }
  ensure(
    bytes.every((each) => each === bytes[0]),
    `${bytes.join(', ')} bytes`,
  );
});

test('a gradient that was read stays valid when it is cleared, replaced or added to', async () => {
  const x = leaf(1, 2);
  x.square().sum().backward();
  const first = x.grad as Tensor;
  ensure(x.grad === first, 'expected the same tensor from two reads');
  x.mul(10).sum().backward();
  const second = x.grad as Tensor;
  x.grad = null;
  x.sum().backward();
  await near(first, vector(2, 4));
  await near(second, vector(12, 14));
  await near(gradientOf(x), vector(1, 1));
});

test('a gradient that was read in a scope is freed with it unless it is returned or kept', async () => {
  const x = leaf(3);
  const bytes: number[] = [];
  const taken: Tensor[] = [];
  for (let step = 0; step < 4; step++) {
    const [returned, kept] = scope(() => {
      x.square().sum().backward();
      const [gradient, unused] = [x.grad as Tensor, x.grad as Tensor];
      ensure(unused.size === 1, 'read');
      x.grad = null;
      x.exp().sum().backward();
      const other = keep(gradientOf(x));
      x.grad = null;
      return [gradient, other];
    });
    if (step === 3) taken.push(returned, kept);
    else for (const each of [returned, kept]) each.dispose();
    bytes.push(memory().liveBytes);
  }
  ensure(bytes[1] === bytes[0] && bytes[2] === bytes[0], `${bytes.join(', ')} bytes`);
  await near(taken[0] as Tensor, vector(6));
  await near(taken[1] as Tensor, reference.exp(vector(3)));
});

test('a gradient that was set stays valid when the leaf clears it', async () => {
  const [x, g] = [leaf(1, 2), tensor([3, 4])];
  x.grad = g;
  ensure(x.grad === g, 'expected the tensor that was set');
  x.grad = null;
  await near(g, vector(3, 4));
});

test('toString and console.log show shape, dtype and the values that were read', async () => {
  const x = tensor(
    [
      [0.1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );
  const inspect = (value: unknown): unknown =>
    (value as Record<symbol, () => unknown>)[Symbol.for('nodejs.util.inspect.custom')]?.();
  ensure(String(x) === 'tensor(shape [2, 2], float32, requiresGrad)', String(x));
  ensure(inspect(x) === String(x), String(inspect(x)));
  await x.data();
  ensure(String(x) === 'tensor([0.1, 2, 3, 4], shape [2, 2], float32, requiresGrad)', String(x));
  const y = tensor(Int32Array.from({ length: 9 }, (_, i) => i));
  await y.toArray();
  ensure(String(y) === 'tensor([0, 1, 2, 3, 4, 5, ...], shape [9], int32)', String(y));
  y.dispose();
  ensure(String(y) === 'tensor(shape [9], int32, disposed)', String(y));
});
