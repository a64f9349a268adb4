// Failed allocations: every read that depends on one throws, and no other read does.
import {
  assign,
  capture,
  device,
  keep,
  LimitError,
  memory,
  noGrad,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '@mien/tensor';
import { currentDevice, withFailingAllocations } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** The values of `x`, or the LimitError of reading it. */
async function outcome(x: Tensor): Promise<string> {
  try {
    return (await x.data()).join();
  } catch (reason) {
    if (!(reason instanceof LimitError)) throw reason;
    return 'LimitError';
  }
}

/**
 * Destroys the buffers in the pool, so that every tensor needs a new buffer until the next await, when garbage collection may
 * return more.
 */
async function emptyPool(): Promise<void> {
  await device().synchronize();
  device().freeUnused();
}

/** Tensors of sizes that no other test uses, so that their allocations can be made to fail. */
const size = 12_345;
const aimed = (bytes: number): boolean => bytes >= 4 * size && bytes < 4 * size * 1.3;

test('a failed allocation fails every read that depends on it, and no other read', async () => {
  await emptyPool();
  const unrelated = ones([5]).mul(3);
  const [failed, computed, view, copied] = await withFailingAllocations(aimed, async () => {
    const failed = ones([size]);
    const computed = failed.sum();
    const copied = zeros([1]);
    assign(copied, computed.reshape([1]));
    const reads = [failed, computed, failed.detach(), copied] as const;
    ensure((await outcome(unrelated)) === '3,3,3,3,3', `unrelated: ${await outcome(unrelated)}`);
    for (const x of reads)
      for (let i = 0; i < 2; i++) ensure((await outcome(x)) === 'LimitError', 'expected a LimitError');
    return reads;
  });
  for (const x of [failed, computed, view, copied, failed.mul(2).sum(), computed.add(1)]) {
    ensure((await outcome(x)) === 'LimitError', 'later reads, and what is computed later, fail too');
  }
  ensure((await outcome(unrelated.add(1))) === '4,4,4,4,4', 'expected the rest to continue');
  assign(copied, ones([1]));
  ensure((await outcome(copied)) === '1', 'expected an overwritten tensor to be valid');
  ensure((await outcome(ones([size]).sum())) === String(size), 'a tensor of that size can be made later');
});

test('the error of a failed allocation names the operation, the memory in use, and the remedy', async () => {
  await emptyPool();
  const big = keep(ones([300, 1000]));
  let message = '';
  await withFailingAllocations(aimed, async () => {
    const y = ones([size]).exp();
    await y.data().catch((reason: Error) => {
      message = `${reason.name}: ${reason.message}`;
    });
  });
  const words =
    /^LimitError: memory: the adapter has no room for \w+ \[12345\], 57\.3 kB \(live .*, peak .*, given by the adapter .*; largest owners: .*full \(1\.\d+ MB\).*\); use a smaller batch/;
  ensure(words.test(message), message);
  big.dispose();
});

test('an allocation that fails while the pool has unused buffers succeeds once these are freed', async () => {
  const other = ones([4096]);
  await other.data();
  await emptyPool();
  other.dispose();
  const unused = memory().unusedBytes;
  let failures = 0;
  const once = (bytes: number): boolean => aimed(bytes) && failures++ === 0;
  await withFailingAllocations(once, async () => {
    ensure((await outcome(ones([size]).sum())) === String(size), 'the second try');
  });
  ensure(failures === 2, `${failures} tries`);
  ensure(memory().unusedBytes < unused, 'expected unused buffers to be freed');
});

test('the pool never reuses failed buffers', async () => {
  await emptyPool();
  await withFailingAllocations(aimed, async () => {
    const x = ones([size]);
    const freedBefore = ones([size]);
    freedBefore.dispose();
    ensure((await outcome(x)) === 'LimitError', 'expected success');
    x.dispose();
  });
  for (let i = 0; i < 3; i++) ensure((await outcome(ones([size]).sum())) === String(size), 'expected a valid buffer');
});

test('a failed gradient or optimizer state fails what depends on it, until it is overwritten', async () => {
  await emptyPool();
  const [w, other] = [tensor([1, 2], { requiresGrad: true }), tensor([3, 4], { requiresGrad: true })];
  await withFailingAllocations(aimed, async () => {
    const wide = w.sum().expand([size]);
    wide.sum().add(other.sum()).backward();
    noGrad(() => {
      for (const each of [w, other]) assign(each, each.sub(each.grad as Tensor));
    });
  });
  const outcomes = [await outcome(w.grad as Tensor), await outcome(w), await outcome(other)];
  ensure(outcomes.join(' ') === 'LimitError LimitError 2,3', outcomes.join(' '));
  assign(w, [7, 8]);
  ensure((await outcome(w.mul(2))) === '14,16', 'expected a loaded parameter to be valid');
});

test('a replay with failed memory fails its results; later replays with valid arguments succeed', async () => {
  await emptyPool();
  using step = capture((x: Tensor) => x.mul(2).exp().log().sum());
  const x = ones([size]);
  for (let i = 0; i < 2; i++) await step.run(x).item();
  const bad = await withFailingAllocations(
    (bytes) => bytes === 57344,
    async () => {
      await emptyPool();
      const bad = keep(ones([size]));
      const y = step.run(bad);
      ensure((await outcome(y)) === 'LimitError', `a replay on what failed: ${await outcome(y)}`);
      return bad;
    },
  );
  ensure((await outcome(step.run(bad))) === 'LimitError', 'and again');
  ensure(Math.abs((await step.run(x).item()) / size - 2) < 1e-5, 'expected the correct values');
});

test('a failed allocation among uploads fails entire submits, and never gives a wrong value', async () => {
  await emptyPool();
  await ones([3]).mul(1).sum().data();
  const values = new Float32Array(2 ** 20).fill(1);
  let count = 0;
  const sums = await withFailingAllocations(
    (bytes) => bytes === 2 ** 22 && count++ === 10,
    async () => {
      const submits = currentDevice().submits;
      const sums = Array.from({ length: 60 }, () => scope(() => tensor(values).sum()));
      ensure(currentDevice().submits - submits >= 3, `${currentDevice().submits - submits} submits`);
      return Promise.all(sums.map(outcome));
    },
  );
  const failed = sums.filter((sum) => sum === 'LimitError').length;
  ensure(failed >= 1 && failed < 60, `${failed} of 60 failed`);
  ensure(
    sums.every((sum) => sum === 'LimitError' || sum === String(2 ** 20)),
    sums.join(),
  );
});

test('a submit that the device refuses fails every read of what it wrote', async () => {
  const before = ones([4]);
  await before.data();
  await emptyPool();
  const [inSubmit, later] = await withFailingAllocations(
    aimed,
    async () => {
      // The buffer is invalid, which the device reports only at the submit.
      const invalid = ones([size]);
      const poison = invalid.sum();
      const inSubmit = before.mul(2);
      const later = inSubmit.add(1);
      ensure((await outcomeOfAny(poison)) === 'failed', 'what poisoned it');
      invalid.dispose();
      return [inSubmit, later] as const;
    },
    { unnoticed: true },
  );
  for (const x of [inSubmit, later, later.mul(3)]) {
    for (let i = 0; i < 2; i++) ensure((await outcomeOfAny(x)) === 'failed', 'a read of a failed result');
  }
  ensure((await outcome(before.mul(2))) === '2,2,2,2', 'expected earlier results to be valid');
  // The pool does not reuse the invalid buffer.
  ensure((await outcome(ones([size]).sum())) === String(size), 'a tensor of the same size later');
});

async function outcomeOfAny(x: Tensor): Promise<string> {
  return x.data().then(
    (values) => values.join(),
    () => 'failed',
  );
}

interface Step {
  readonly kind: 'unary' | 'binary' | 'assign' | 'dispose' | 'read' | 'upload' | 'gradient';
  readonly a: number;
  readonly b: number;
}

const programs = fc.record({
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom<Step['kind']>('unary', 'binary', 'assign', 'dispose', 'read', 'upload', 'gradient'),
      a: fc.nat(30),
      b: fc.nat(30),
    }),
    { minLength: 4, maxLength: 40 },
  ),
  failing: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 4 }),
});

let salt = 0;
/** Failed reads, and successful reads of the same programs. */
const counts = { failed: 0, beside: 0 };

/** A program on small vectors; the values that it reads, and those of all tensors at its end. */
async function perform(steps: readonly Step[], length: number): Promise<string[]> {
  const live: Tensor[] = [tensor(Float32Array.from({ length }, (_, i) => i % 3))];
  const reads: Promise<string>[] = [];
  const pick = (i: number): Tensor => live[i % live.length] as Tensor;
  for (const { kind, a, b } of steps) {
    if (kind === 'unary') live.push(pick(a).mul(0.5).add(1));
    else if (kind === 'binary') live.push(pick(a).sub(pick(b)));
    else if (kind === 'assign') assign(pick(a), pick(b));
    else if (kind === 'upload') live.push(tensor(Float32Array.from({ length }, (_, i) => (i + b) % 5)));
    else if (kind === 'read') reads.push(outcome(pick(a)));
    else if (kind === 'gradient') {
      const leaf = pick(a).detach({ requiresGrad: true });
      leaf.mul(pick(b)).sum().backward();
      live.push((leaf.grad as Tensor).mul(1));
      leaf.dispose();
    } else if (live.length > 1) live.splice(a % live.length, 1)[0]?.dispose();
    // Some reads are awaited before the next step, so that a program has several submits.
    if (kind === 'read' && b % 2 === 0) await reads.at(-1);
  }
  for (const x of live) reads.push(outcome(x));
  const values = await Promise.all(reads);
  for (const x of live) values.push(await outcome(x));
  for (const x of live) x.dispose();
  return values;
}

law(
  'with failing allocations every read of a program throws LimitError or gives the right value',
  programs,
  async ({ steps, failing }) => {
    // A different length for each program, so that it needs new buffers.
    const length = 600 + 130 * (salt++ % 64);
    const right = await perform(steps, length);
    await emptyPool();
    let count = 0;
    const planned = (): boolean => failing.includes(count++);
    const values = await withFailingAllocations(planned, () => perform(steps, length));
    for (const [i, value] of values.entries()) {
      ensure(value === 'LimitError' || value === right[i], `read ${i} is ${value}, expected ${right[i]}`);
    }
    ensure(values.length === right.length, `${values.length} reads, ${right.length} expected`);
    const failed = values.filter((value) => value === 'LimitError').length;
    counts.failed += failed;
    if (failed > 0) counts.beside += values.length - failed;
  },
);

test('the law of failing allocations had failures and correct values', () => {
  ensure(counts.failed > 20 && counts.beside > 20, JSON.stringify(counts));
});
