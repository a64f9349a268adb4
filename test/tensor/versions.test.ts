// Tensors that were saved for backward and then written in place: refused if the gradient needs them, as in PyTorch.
import {
  assign,
  batchNorm,
  capture,
  checkpoint,
  GradientError,
  kernel,
  ones,
  run,
  scope,
  type Tensor,
  tensor,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const leafOf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const vector = (...data: number[]) => reference.values([data.length], data);

const increment = kernel(`
// threads: one an element
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1)
fn incrementInPlace() { x[0] += 1; }
`);

/** Every operation of @mien/tensor that writes into an existing tensor. */
const writers: Readonly<Record<string, (x: Tensor) => void>> = {
  'assign of a tensor': (x) => assign(x, tensor([5, 7])),
  'assign of numbers': (x) => assign(x, [5, 7]),
  'assign to a view': (x) => assign(x.detach().reshape([2, 1]), tensor([[5], [7]])),
  'a kernel that writes in place': (x) => run(increment, { x }, {}, 1),
  'running statistics of a training batchNorm': (x) => {
    const other = ones([2]);
    const affine = { weight: null, bias: null };
    batchNorm(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      { ...affine, runningMean: x, runningVar: other, training: true },
    );
  },
};

for (const [what, write] of Object.entries(writers)) {
  test(`backward refuses a tensor that ${what} changed after an operation saved it`, () => {
    const [x, w] = [leafOf(1, 2), leafOf(3, 4)];
    const y = x.mul(w).sum();
    write(w);
    refuses(() => y.backward(), GradientError, 'backward: the gradient of mul needs the old value of b [2]');
    const result = x.exp();
    write(result);
    refuses(() => result.sum().backward(), GradientError, 'the gradient of exp needs the old value of its result [2]');
  });

  test(`backward accepts a tensor that ${what} changed if its gradient does not need it`, async () => {
    const [x, w] = [leafOf(1, 2), tensor([3, 4])];
    const y = w.mul(x).add(w).sum();
    const saved = w.detach();
    assign(x, [9, 9]);
    y.backward();
    await near(x.grad as Tensor, vector(3, 4));
    const z = w.add(x).sum();
    write(saved);
    z.backward();
    await near(x.grad as Tensor, vector(4, 5));
  });

  test(`checkpoint refuses a tensor that ${what} changed before its second run`, () => {
    const [x, w] = [leafOf(1, 2), tensor([3, 4])];
    const y = checkpoint((v) => v.mul(w).exp().sum(), x);
    write(w);
    refuses(() => y.backward(), GradientError, 'checkpoint: ');
  });
}

test('backward keeps its graph when it throws', async () => {
  const x = leafOf(1, 2);
  const w = tensor([3, 4]);
  const y = x.mul(w).sum();
  const before = w.add(0);
  assign(w, [0, 0]);
  refuses(() => y.backward(), GradientError, 'a copy has changed it in place');
  ensure(x.grad === null, 'expected no gradient');
  await near(before, vector(3, 4));
});

test('capture counts a replay as a write to the tensors that it writes', async () => {
  const w = leafOf(1, 2);
  const update = capture((x: Tensor) => {
    assign(w, x);
    return x.sum();
  });
  for (let call = 0; call < 3; call++) update.run(tensor([call, 1]));
  ensure(update.replays, 'expected the next call to be a replay');
  const x = leafOf(1, 1);
  const y = x.mul(w).sum();
  update.run(tensor([5, 6]));
  refuses(() => y.backward(), GradientError, 'a captured function has changed it in place');
  await near(w, vector(5, 6));
  update.dispose();
});

test('capture accepts a step that runs forward, backward and update in order', async () => {
  const w = leafOf(1, 2);
  const step = capture((x: Tensor) => {
    const loss = x.mul(w).square().sum();
    loss.backward();
    assign(w, w.detach().sub((w.grad as Tensor).mul(0.125)));
    w.grad = null;
    return loss.detach();
  });
  const expected = [1, 2];
  for (let call = 0; call < 6; call++) {
    scope(() => void step.run(tensor([1, 2])));
    expected[0] = (expected[0] as number) * (1 - 0.25);
    expected[1] = (expected[1] as number) * (1 - 1);
  }
  ensure(step.replays, 'expected the last calls to be replays');
  await near(w, vector(...expected));
  step.dispose();
});

test('backward refuses a second derivative if a saved tensor was changed after the first', () => {
  const [x, w] = [leafOf(1, 2), leafOf(3, 4)];
  x.square().mul(w).sum().backward(null, { createGraph: true });
  const penalty = (x.grad as Tensor).square().sum();
  assign(x, [0, 0]);
  refuses(() => penalty.backward(), GradientError, 'has changed it in place');
});

test('batchNorm refuses to recompute a result after its input was changed', () => {
  const x = tensor(
    [
      [1, 2],
      [3, 5],
    ],
    { requiresGrad: true },
  );
  const scaled = x.mul(2);
  const y = batchNorm(scaled, { weight: null, bias: null, runningMean: null, runningVar: null, training: true });
  const z = y.exp().mul(y).sum();
  assign(
    scaled.detach(),
    [
      [0, 1],
      [2, 3],
    ].flat(),
  );
  refuses(() => z.backward(), GradientError, 'the gradient of batchNorm needs the old value of x [2, 2]');
});
