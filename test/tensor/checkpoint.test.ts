import {
  checkpoint,
  dropout,
  Generator,
  GradientError,
  grad,
  memory,
  noGrad,
  randn,
  recomputing,
  scope,
  type Tensor,
  tensor,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const cases = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([n, m]) => fc.record({ x: valuesOf([n, m]), w: valuesOf([m, m]) }));

/** Uses an input twice, computes an unused value, and returns a view. */
function block(x: Tensor, w: Tensor): Tensor {
  const y = x.matmul(w).tanh();
  y.exp().sum();
  return y.mul(x).add(y).reshape([x.size]);
}

law('checkpoint gives the gradients of its function', cases, ({ x, w }) =>
  gradcheck(
    (a, b) => checkpoint(block, a, b),
    (a, b) => {
      const y = reference.tanh(reference.matmul(a, b));
      return reference.reshape(reference.add(reference.mul(y, a), y), [a.data.length]);
    },
    [x, w],
  ),
);

law(
  'checkpoint gives bitwise the gradients of its function, also for tensors that are not inputs',
  cases,
  async (c) => {
    const gradients = async (through: typeof checkpoint): Promise<string> => {
      const [x, w, u] = [c.x, c.w, c.w].map((v) => toTensor(v, { requiresGrad: true })) as [Tensor, Tensor, Tensor];
      scope(() => {
        const twice = u.mul(2);
        const first = through((v: Tensor) => block(v, twice), x.mul(3)).reshape(x.shape);
        const second = through((v: Tensor, m: Tensor) => v.matmul(m).square(), first, w);
        second.sum().add(twice.sum()).backward();
      });
      const gradients = await Promise.all([x, w, u].map((leaf) => (leaf.grad as Tensor).data()));
      return gradients.join(' ');
    };
    const [with_, without] = [await gradients(checkpoint), await gradients((fn, ...inputs) => fn(...inputs))];
    ensure(with_ === without, `${with_} is not ${without}`);
  },
);

law('checkpoint has second derivatives', valuesOf([3]), async (x) => {
  const cube = (v: Tensor): Tensor => checkpoint((u: Tensor) => u.mul(u).mul(u), v);
  const second = grad((v) => grad((u) => cube(u).sum())(v).sum());
  await near(second(toTensor(x)), { shape: [3], data: x.data.map((v) => 6 * v) });
});

test('checkpoint repeats random numbers and restores the state of generators', async () => {
  const generator = new Generator(3);
  const x = randn([64]).detach({ requiresGrad: true });
  const y = checkpoint((v: Tensor) => dropout(v.square(), 0.5, { generator }).mul(2), x);
  const { offset } = generator.state();
  const values = await y.data();
  y.sum().backward();
  ensure(generator.state().offset === offset, 'expected the generator to advance');
  const [inputs, slopes] = await Promise.all([x.data(), (x.grad as Tensor).data()]);
  for (const [i, slope] of slopes.entries()) {
    const expected = values[i] === 0 ? 0 : 8 * (inputs[i] as number);
    ensure(slope === expected, `${slope} at ${i}, not ${expected}`);
  }
});

test('checkpoint sets recomputing() during the second run', () => {
  const flags: boolean[] = [];
  const x = tensor([2], { requiresGrad: true });
  const y = checkpoint((v: Tensor) => {
    flags.push(recomputing());
    return v.square();
  }, x);
  y.backward(null, { keepGraph: true });
  y.backward();
  ensure(flags.join() === 'false,true' && !recomputing(), flags.join());
  refuses(() => y.backward(), GradientError, 'the graph through square was freed');
});

test('checkpoint nested in another is part of it, and is a plain call without gradients', async () => {
  const runs: number[] = [];
  const inner = (v: Tensor): Tensor =>
    checkpoint((u: Tensor) => {
      runs.push(u.size);
      return u.exp();
    }, v);
  const x = tensor([1], { requiresGrad: true });
  checkpoint((v: Tensor) => inner(v).mul(2), x).backward();
  ensure(runs.join().length === 2 * 2 - 1, `${runs.length} runs`);
  await near(x.grad as Tensor, { shape: [1], data: Float64Array.of(2 * Math.E) });
  noGrad(() => inner(x));
  ensure(runs.join().length === 2 * 3 - 1, `${runs.length} runs`);
});

test('checkpoint refuses a function that behaves differently in the second run', () => {
  const x = tensor([2], { requiresGrad: true });
  let run = 0;
  const other = checkpoint((v: Tensor) => (run++ === 0 ? v.square() : v.exp()), x);
  refuses(
    () => other.backward(),
    GradientError,
    'checkpoint: when run again for its gradient, the function made exp [1], not square [1]',
  );
  run = 0;
  const fewer = checkpoint((v: Tensor) => (run++ === 0 ? v.square().exp() : v.square()), x);
  refuses(() => fewer.backward(), GradientError, 'made 1 operations, not 2');
  refuses(
    () =>
      checkpoint((v: Tensor) => {
        v.square().backward();
        return v;
      }, x),
    GradientError,
    'checkpoint: the function computes gradients itself',
  );
});

test('checkpoint saves its inputs only, and frees all memory', () => {
  const bytes = 4 * 4096;
  const x = randn([4096]).detach({ requiresGrad: true });
  const before = memory().liveBytes;
  scope(() => {
    const y = checkpoint((v: Tensor) => v.exp().tanh().square().tanh(), x);
    ensure(memory().liveBytes === before + bytes, `${(memory().liveBytes - before) / bytes} tensors live, not 1`);
    y.sum().backward();
  });
  x.grad = null;
  ensure(memory().liveBytes === before, `${memory().liveBytes - before} bytes are left`);
  scope(() => void checkpoint((v: Tensor) => v.exp().tanh(), x));
  ensure(memory().liveBytes === before, `${memory().liveBytes - before} bytes are left without backward`);
});
