import {
  assign,
  batchNorm,
  CaptureError,
  capture,
  checkpoint,
  detectAnomaly,
  dropout,
  empty,
  Generator,
  keep,
  kernel,
  live,
  memory,
  noGrad,
  ones,
  profile,
  randn,
  run,
  scope,
  type Tensor,
  tensor,
  unchanging,
  ValueError,
  zeros,
} from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const fillKernel = kernel(`struct Params { value: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn setFirst() { y[0] = params.value; }
`);

/** Calls `step` with each of `inputs` and reads every result immediately. */
async function values(step: (x: Tensor) => Tensor, inputs: readonly Tensor[]): Promise<string[]> {
  const actual: string[] = [];
  for (const x of inputs) {
    const y = step(x);
    actual.push((await y.data()).join());
    y.dispose();
  }
  return actual;
}

/** A small network in training: its losses, and the state that a step changes. */
function trained(seed: number): { step: (x: Tensor) => Tensor; state: readonly Tensor[] } {
  const generator = new Generator(seed);
  const weights = [
    [6, 8],
    [8, 3],
  ].map((shape) => scope(() => randn(shape, { generator }).detach({ requiresGrad: true })));
  const running = { runningMean: zeros([8]), runningVar: ones([8]) };
  let rate = 0.1;
  const step = (x: Tensor): Tensor => {
    const hidden = batchNorm(x.matmul(weights[0] as Tensor), { weight: null, bias: null, ...running, training: true });
    const loss = dropout(hidden.relu(), 0.4, { generator })
      .matmul(weights[1] as Tensor)
      .square()
      .mean();
    loss.backward();
    const learningRate = live(() => (rate *= 0.9));
    noGrad(() => {
      for (const weight of weights) {
        const gradient = weight.grad as Tensor;
        const scale = empty([1]);
        run(fillKernel, { y: scale }, { value: learningRate }, 1);
        assign(weight, weight.sub(gradient.mul(scale)));
        weight.grad = null;
      }
    });
    return loss.detach();
  };
  return { step, state: [...weights, ...Object.values(running)] };
}

law(
  'capture repeats a training step bit for bit, with dropout, running statistics and a learning rate schedule',
  fc.record({ seed: fc.nat(1000), rows: fc.integer({ min: 2, max: 9 }), steps: fc.integer({ min: 1, max: 7 }) }),
  async ({ seed, rows, steps }) => {
    const inputs = Array.from({ length: steps }, () => randn([rows, 6]));
    const [plain, other] = [trained(seed), trained(seed)];
    using captured = capture(other.step);
    const expected = await values((x) => scope(() => plain.step(x)), inputs);
    const actual = await values((x) => captured.run(x), inputs);
    ensure(captured.replays === steps > 1, `after ${steps} calls it is ${captured.replays ? '' : 'not '}replayed`);
    ensure(actual.join(' ') === expected.join(' '), `losses ${actual.join(' ')}, expected ${expected.join(' ')}`);
    for (const [i, mine] of other.state.entries()) {
      const [a, b] = [await mine.data(), await (plain.state[i] as Tensor).data()];
      ensure(a.join() === b.join(), `state ${i} differs`);
    }
    for (const each of [...inputs, ...plain.state, ...other.state]) each.dispose();
  },
  { runs: 12 },
);

test('capture runs its function twice, then replays it; earlier results keep their values', async () => {
  let calls = 0;
  using doubled = capture((x: Tensor) => {
    calls++;
    return { list: [x.mul(2)], none: null };
  });
  const results = [1, 2, 3, 4, 5].map((value) => doubled.run(tensor([value])).list[0] as Tensor);
  const actual = await Promise.all(results.map((y) => y.item()));
  ensure(actual.join() === '2,4,6,8,10', actual.join());
  ensure(calls === 2, `${calls} calls`);
});

test('capture accepts a first call that differs, as when an optimizer creates its state', async () => {
  let state: Tensor | null = null;
  using sums = capture((x: Tensor) => {
    state ??= keep(zeros([2]));
    assign(state, state.add(x));
    return state.mul(1);
  });
  const actual: string[] = [];
  for (let i = 1; i <= 5; i++) actual.push((await sums.run(tensor([i, 1])).data()).join(' '));
  ensure(actual.join() === '1 1,3 2,6 3,10 4,15 5', actual.join());
});

test('capture leaves the gradients that calls would leave', async () => {
  const w = tensor([1, 2], { requiresGrad: true });
  using step = capture((x: Tensor) => {
    w.grad = null;
    const loss = w.mul(x).sum();
    loss.backward();
    return loss.detach();
  });
  for (let i = 1; i <= 4; i++) {
    step.run(tensor([i, 2 * i]));
    const gradient = (await w.grad?.data())?.join();
    ensure(gradient === `${i},${2 * i}`, `the gradient of call ${i} is ${gradient}`);
    if (i === 3) w.grad = ones([2]);
  }
});

test('capture replays are not disturbed by work between them, and memory() reports what they hold', async () => {
  const before = memory();
  const [w, x] = [randn([64, 64]), randn([64, 64])];
  const step = capture((x: Tensor) => x.matmul(w).relu().matmul(w).exp().mean());
  const once = scope(() => x.matmul(w).relu().matmul(w).exp().mean());
  const expected = await once.item();
  once.dispose();
  for (let i = 0; i < 4; i++) {
    const y = step.run(x);
    ensure((await y.item()) === expected, `call ${i} gives ${await y.item()}, expected ${expected}`);
    y.dispose();
    scope(() => void Array.from({ length: 8 }, () => randn([64, 64])));
  }
  // No await in the rest of the case: garbage of other cases is collected between turns of the event loop.
  const held = memory();
  for (let i = 0; i < 5; i++) step.run(x).dispose();
  ensure(
    memory().buffers === held.buffers && memory().liveBytes === held.liveBytes,
    'expected no allocations in replays',
  );
  step.dispose();
  step.dispose();
  const reserved = held.reservedBytes - memory().reservedBytes;
  ensure(reserved > 0, 'expected reserved temporaries');
  ensure(held.liveBytes - memory().liveBytes >= reserved, 'expected them to count as live');
  for (const each of [w, x]) each.dispose();
  ensure(memory().reservedBytes <= before.reservedBytes, `${memory().reservedBytes} bytes are still reserved`);
  ensure(memory().liveBytes <= before.liveBytes, `${memory().liveBytes} bytes live, ${before.liveBytes} before`);
});

test('capture replays that are submitted together keep their parameters', async () => {
  let count = 0;
  const y = zeros([1]);
  using step = capture(() => {
    run(fillKernel, { y }, { value: live(() => ++count) }, 1);
    return y.mul(1);
  });
  const results = Array.from({ length: 6 }, () => step.run());
  const actual = await Promise.all(results.map((each) => each.item()));
  ensure(actual.join() === '1,2,3,4,5,6', actual.join());
});

test('profile sees the kernels of a replay', async () => {
  const x = ones([8]);
  using step = capture((x: Tensor) => x.exp().sum());
  for (let i = 0; i < 2; i++) await step.run(x).item();
  const { spans } = await profile(() => step.run(x).item());
  const kernels = spans.map(({ kernel }) => kernel).join(' ');
  ensure(/unary.*reduceRows/.test(kernels), kernels);
});

const recorded = <T>(fn: (x: Tensor) => T, x: Tensor = ones([2])): ReturnType<typeof capture<readonly [Tensor], T>> => {
  const step = capture<readonly [Tensor], T>(fn);
  for (let i = 0; i < 2; i++) step.run(x);
  return step;
};

test('capture refuses a different shape, dtype or number of arguments', () => {
  using step = recorded((x) => x.mul(2));
  refuses(() => step.run(ones([3])), CaptureError, 'argument 0 was float32 [2] in the first call, got float32 [3]');
  refuses(() => step.run(ones([2], { dtype: 'int32' })), CaptureError, 'got int32 [2]');
  refuses(() => (step as { run: (...x: Tensor[]) => unknown }).run(), CaptureError, 'with 1 arguments, got 0');
  refuses(() => step.run(ones([2], { requiresGrad: true })), CaptureError, 'requires a gradient; detach() it');
});

test('capture refuses a host read inside the function', async () => {
  using reads = capture((x: Tensor) => {
    x.item();
    return x.mul(1);
  });
  refuses(() => reads.run(ones([1])), CaptureError, 'reads values on the host; return the tensor and read it outside');
  using waits = capture(async (x: Tensor) => x.data());
  refuses(() => waits.run(ones([1])), ValueError, 'a scope is synchronous');
  ensure((await ones([1]).item()) === 1, 'expected reads outside to succeed');
});

test('capture refuses tensors that the function makes from host values', () => {
  using step = capture((x: Tensor) => x.add(tensor([1, 2])));
  refuses(() => step.run(ones([2])), CaptureError, 'makes a tensor from host values; make it outside and pass it');
});

test('capture refuses a number that changes without being live', () => {
  let rate = 1;
  using step = capture((x: Tensor) => x.mul(rate++));
  step.run(ones([2]));
  step.run(ones([2]));
  refuses(() => step.run(ones([2])), CaptureError, 'has a different value: pass numbers that change by live()');
});

test('capture refuses a live value created outside', () => {
  const y = zeros([1]);
  const outside = live(() => 1);
  using step = capture(() => run(fillKernel, { y }, { value: outside }, 1));
  refuses(() => step.run(), CaptureError, 'value of setFirst is a live value from outside');
});

test('capture refuses a watched value that has changed, and continues once it is restored', async () => {
  let mode = 'training';
  using step = recorded((x) => {
    unchanging('the mode', () => mode);
    return x.mul(mode === 'training' ? 2 : 3);
  });
  mode = 'evaluation';
  refuses(
    () => step.run(ones([2])),
    CaptureError,
    'the mode is evaluation and was training when the function was recorded',
  );
  mode = 'training';
  ensure((await step.run(ones([2])).data()).join() === '2,2', 'expected it to continue');
  refuses(() => noGrad(() => step.run(ones([2]))), CaptureError, 'gradEnabled is false and was true');
});

test('capture refuses a disposed tensor that the function uses', () => {
  const w = ones([2]);
  using step = recorded((x) => x.mul(w));
  w.dispose();
  refuses(() => step.run(ones([2])), CaptureError, 'a tensor that the recorded function uses was disposed of');
});

test('capture refuses a different external tensor', () => {
  using step = capture((x: Tensor) => x.add(keep(ones([2]))));
  let w = ones([2]);
  using other = capture((x: Tensor) => x.mul(w));
  for (let i = 0; i < 2; i++) {
    other.run(ones([2]));
    w = ones([2]);
  }
  refuses(
    () => other.run(ones([2])),
    CaptureError,
    'is a different tensor, or has a different size: pass tensors that change',
  );
  for (let i = 0; i < 3; i++) step.run(ones([2]));
});

test('capture refuses a leaf whose gradient is set or unset differently than at recording', () => {
  const w = tensor([1, 2], { requiresGrad: true });
  using step = recorded((x) => {
    const loss = w.mul(x).sum();
    loss.backward();
    w.grad = null;
    return loss.detach();
  });
  w.grad = ones([2]);
  refuses(
    () => step.run(ones([2])),
    CaptureError,
    'had no gradient when the function was recorded and has a gradient now',
  );
});

test('capture refuses a result with a gradient, values other than tensors, nesting, detectAnomaly and use after dispose()', async () => {
  const w = tensor([1, 2], { requiresGrad: true });
  refuses(() => recorded((x) => x.mul(w)), CaptureError, 'its result requires a gradient; return x.detach()');
  refuses(() => recorded((x) => x.size), CaptureError, 'the function returns 2; it may return tensors');
  using inner = capture((x: Tensor) => x.mul(2));
  refuses(() => recorded((x) => inner.run(x)), CaptureError, 'a captured function calls another');
  let message = '';
  await detectAnomaly(() => inner.run(ones([2]))).catch((reason) => {
    message = String(reason);
  });
  ensure(message.includes('detectAnomaly inspects each operation'), message);
  inner.dispose();
  refuses(() => inner.run(ones([2])), CaptureError, 'it was disposed of');
});

test('capture repeats a checkpointed function, and refuses one that draws random numbers', async () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const step = (x: Tensor, p: number): Tensor => {
    const loss = checkpoint((x: Tensor) => dropout(x.mul(w), p).exp(), x).sum();
    loss.backward();
    const gradient = w.grad?.mul(1) as Tensor;
    w.grad = null;
    return gradient;
  };
  using captured = recorded((x) => step(x, 0));
  const [expected, actual] = [scope(() => step(tensor([3, 1]), 0)), captured.run(tensor([3, 1]))];
  ensure((await actual.data()).join() === (await expected.data()).join(), 'the gradient is the same');
  refuses(() => recorded((x) => step(x, 0.5)), CaptureError, 'a checkpointed function draws random numbers');
});

test('capture detects a host variable that changed since recording, and keeps refusing', async () => {
  const cases: readonly [string, (x: Tensor, state: { value: number }) => Tensor][] = [
    ['has a different value', (x, state) => x.mul(state.value)],
    ['replaces', (x, state) => (state.value === 1 ? x.exp() : x.log())],
    ['the call before had no', (x, state) => (state.value === 1 ? x.mul(2) : x.mul(2).add(1))],
    ['it returns different tensors', (x, state) => [x.mul(2), x.add(2)][state.value - 1] as Tensor],
  ];
  for (const [words, fn] of cases) {
    const state = { value: 1 };
    using step = capture((x: Tensor) => fn(x, state), { verifyEvery: 4 });
    for (let i = 0; i < 7; i++) step.run(ones([2])).dispose();
    state.value = 2;
    const run = (): void => {
      for (let i = 0; i < 4; i++) step.run(ones([2])).dispose();
    };
    refuses(run, CaptureError, 'the function no longer does what was recorded');
    refuses(run, CaptureError, words);
    refuses(() => step.run(ones([2])), CaptureError, words);
  }
});

test('capture checks of a training step change no losses, state, gradients, generators or memory', async () => {
  const [plain, other] = [trained(3), trained(3)];
  const inputs = Array.from({ length: 9 }, () => randn([4, 6]));
  using captured = capture(other.step, { verifyEvery: 1 });
  const expected = await values((x) => scope(() => plain.step(x)), inputs);
  const actual = await values((x) => captured.run(x), inputs.slice(0, 4));
  const held = memory();
  actual.push(...(await values((x) => captured.run(x), inputs.slice(4))));
  ensure(memory().buffers === held.buffers && memory().liveBytes <= held.liveBytes, 'expected no memory for checks');
  ensure(actual.join(' ') === expected.join(' '), `losses ${actual.join(' ')}, expected ${expected.join(' ')}`);
  for (const [i, mine] of other.state.entries()) {
    const [a, b] = [await mine.data(), await (plain.state[i] as Tensor).data()];
    ensure(a.join() === b.join(), `state ${i} differs`);
  }
});

test('capture checks restore the gradients of leaves', async () => {
  const [w, other] = [tensor([1, 2], { requiresGrad: true }), tensor([1, 2], { requiresGrad: true })];
  using step = capture(
    (x: Tensor) => {
      w.grad = null;
      const loss = w.mul(x).sum().add(other.mul(x).sum());
      loss.backward();
      other.grad = null;
      return loss.detach();
    },
    { verifyEvery: 1 },
  );
  for (let i = 1; i <= 5; i++) {
    const earlier = w.grad && keep(w.grad.detach());
    step.run(tensor([1, i])).dispose();
    const gradient = (await w.grad?.data())?.join();
    ensure(gradient === `1,${i}` && other.grad === null, `the gradient of call ${i} is ${gradient}`);
    earlier?.dispose();
  }
});

test('capture does not check a function that keeps tensors, as replays write them', async () => {
  let saved: Tensor | null = null;
  let calls = 0;
  using step = capture(
    (x: Tensor) => {
      calls++;
      saved = keep(x.mul(3));
      return saved.sum();
    },
    { verifyEvery: 1 },
  );
  for (let i = 1; i <= 5; i++) step.run(ones([2]).mul(i)).dispose();
  ensure(calls === 2, `${calls} calls`);
  ensure((await (saved as Tensor | null)?.data())?.join() === '15,15', 'the last replay');
});

test('capture checks its function after 64, 128, 256, ... replays', () => {
  let calls = 0;
  using step = capture((x: Tensor) => {
    calls++;
    return x.mul(2);
  });
  const x = ones([2]);
  const at: number[] = [];
  for (let i = 1; i <= 2 + 300; i++) {
    const before = calls;
    step.run(x).dispose();
    if (calls > before) at.push(i - 1);
  }
  // The second recorded call is the first that can be replayed, so the next call is replay 1.
  ensure(at.join() === '0,1,65,129,257', at.join());
});
