// The harness must report a failure for every test that proves nothing.
import { conv2d, ones } from '@mien/tensor';
import { withAlgorithm } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type CaseRecord, type Recorder, type RunOptions, recorder, test } from '../harness.ts';
import { type CasesOf, lawByAlgorithm } from '../tensor/algorithms/laws.ts';
import { poolLaw } from '../tensor/algorithms/pool.ts';

type Register = (own: Recorder) => unknown;

/** The records of one file, whose cases `register` adds. */
async function recordsOf(register: Register, options?: RunOptions): Promise<CaseRecord[]> {
  const own = recorder();
  return silently(() => own.runFiles([['some.test.ts', async () => register(own)]], options));
}

/** Hides uvu's output of the inner suites. */
async function silently<T>(run: () => Promise<T>): Promise<T> {
  const write = process.stdout.write;
  process.stdout.write = () => true;
  try {
    return await run();
  } finally {
    process.stdout.write = write;
  }
}

function expectOne(records: readonly CaseRecord[], state: CaseRecord['state'], reason: string): void {
  ensure(records.length === 1, `${records.length} records, expected one`);
  const [record] = records as [CaseRecord];
  ensure(record.state === state, `it ${record.state}, expected ${state}`);
  ensure((record.reason ?? '').includes(reason), `the reason is \`${record.reason}\`, expected \`${reason}\``);
}

test('harness passes a case that returns', async () => {
  expectOne(await recordsOf(({ test }) => test('a', () => {})), 'passed', '');
});

test('harness fails a case that throws or rejects', async () => {
  const broken = (): never => {
    throw new TypeError('broken');
  };
  expectOne(await recordsOf(({ test }) => test('a', broken)), 'failed', 'TypeError: broken');
  expectOne(await recordsOf(({ test }) => test('a', async () => broken())), 'failed', 'TypeError: broken');
});

test("harness reports the difference that uvu's assert found, and the line of the test", async () => {
  const [record] = await recordsOf(({ test }) => test('a', () => assert.equal(['a', 'b'], ['a', 'c'])));
  const reason = record?.reason ?? '';
  for (const line of ['--··"b"', '++··"c"', 'harness.node.test.ts:']) {
    ensure(reason.includes(line), `expected \`${line}\` in \`${reason}\``);
  }
});

test('harness fails a case that does not end in its time', async () => {
  expectOne(
    await recordsOf(({ test }) => test('a', () => new Promise(() => {}), { seconds: 0.05 })),
    'failed',
    'longer than 0.05 s',
  );
});

test('harness fails a file that registers nothing', async () => {
  expectOne(await recordsOf(() => {}), 'failed', 'no case was registered');
});

test('harness fails a file that does not load', async () => {
  const register: Register = () => Promise.reject(new TypeError('half a file'));
  expectOne(await recordsOf(register), 'failed', 'half a file');
});

test('harness fails a case that never ran', async () => {
  const own = recorder();
  // A suite that ends before its cases, as with a hook that throws.
  const queue = globalThis as { UVU_QUEUE?: unknown };
  const before = Object.getOwnPropertyDescriptor(queue, 'UVU_QUEUE') as PropertyDescriptor;
  Object.defineProperty(queue, 'UVU_QUEUE', { configurable: true, get: () => [[]], set: () => {} });
  try {
    expectOne(await own.runFiles([['some.test.ts', async () => own.test('a', () => {})]]), 'failed', 'did not run');
  } finally {
    Object.defineProperty(queue, 'UVU_QUEUE', before);
  }
});

test('harness records a skipped case with its reason', async () => {
  expectOne(await recordsOf(({ skip }) => skip('a', 'no camera')), 'skipped', 'no camera');
  expectOne(await recordsOf(({ test }) => test('a', () => {}, { skip: 'no camera' })), 'skipped', 'no camera');
});

test('harness runs the cases whose file or name contains a filter', async () => {
  const register: Register = ({ test }) => ['conv2d holds', 'matmul holds'].map((name) => test(name, () => {}));
  const named = async (filters: readonly string[]): Promise<string> =>
    (await recordsOf(register, { filters })).map(({ name }) => name).join();
  ensure((await named(['MATMUL'])) === 'matmul holds', 'by name');
  ensure((await named(['some'])) === 'conv2d holds,matmul holds', 'by file');
  ensure((await named(['nothing'])) === '', 'none');
});

test('harness prints the smallest case of a law that fails and the line that repeats it', async () => {
  const register: Register = ({ law }) =>
    law('small numbers are below ten', fc.nat(1000), (n) => ensure(n < 10, `${n} is not`));
  const records = await recordsOf(register);
  expectOne(records, 'failed', 'smallest case: 10');
  const [, seed, path] = /--seed (-?\d+) --path (\S+)/.exec(records[0]?.reason ?? '') ?? [];
  ensure(seed !== undefined && path !== undefined, 'the line that repeats it');
  expectOne(await recordsOf(register, { seed: Number(seed), path }), 'failed', 'smallest case: 10');
});

test('harness reports the largest error of a law over its tolerance', async () => {
  const [record] = await recordsOf(({ law }) => law('all is well', fc.nat(), () => {}, { runs: 3 }));
  ensure(record?.state === 'passed' && record.worst === 0, `worst is ${record?.worst}`);
});

test('harness skips the cases of a law that a forced algorithm does not fit, and fails a law of which none ran', async () => {
  const byDepthwise =
    (outputs: readonly number[]): Register =>
    ({ law }) =>
      law(
        'a window for each channel',
        fc.constantFrom(...outputs),
        (channels) =>
          withAlgorithm('conv2d', 'depthwise', async () => {
            await conv2d(ones([1, 2, 5, 5]), ones([channels, 1, 3, 3]), null, { padding: 1, groups: 2 }).data();
          }),
        { runs: 5 },
      );
  expectOne(await recordsOf(byDepthwise([2, 4])), 'passed', '');
  expectOne(await recordsOf(byDepthwise([4, 6])), 'failed', 'expected to run depthwise, but it does not fit');
});

test('harness fails a law by algorithm whose cases are too few, do not fit, or have no kernel dispatched', async () => {
  type Spec = Parameters<typeof poolLaw.values>[0];
  const halves = poolLaw.cases.halves as CasesOf<Spec>;
  const reasonOf = async (own: CasesOf<Spec>, change: Partial<typeof poolLaw> = {}): Promise<string> => {
    const stated = { ...poolLaw, cases: { halves: own, windows: 'not here' }, ...change };
    const records = await recordsOf((to) => lawByAlgorithm(stated, to));
    return records.map(({ state, reason }) => `${state} ${reason ?? ''}`).join('; ');
  };
  const { smallest } = halves.edges;
  const few = await reasonOf({ ...halves, any: fc.constant(smallest) });
  ensure(few.includes('failed Mismatch: expected at least 20 distinct shapes, got 7'), few);
  const misfits = await reasonOf({ ...halves, edges: { ...halves.edges, odd: { ...smallest, input: [3, 4] } } });
  ensure(misfits.includes('1 of its cases do not fit'), misfits);
  const idle = await reasonOf(halves, { property: () => {} });
  ensure(idle.includes('none of its kernels was dispatched'), idle);
  ensure(idle.endsWith('skipped not here'), idle);
});
