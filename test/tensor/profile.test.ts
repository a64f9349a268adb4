import {
  chromeTrace,
  kernel,
  measurePeak,
  ones,
  profile,
  profileRows,
  run,
  scope,
  ValueError,
  zeros,
} from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const touch = kernel(`@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn touchOne() { y[0] += 1; }
`);

test('profile returns the kernels and copies of a function in order, with times, and its result', async () => {
  const x = ones([64, 64]);
  const taken = await profile(() => scope(() => x.exp().sum()).item());
  const names = taken.spans.map((span) => span.kernel);
  ensure(Math.abs(taken.result - 4096 * Math.E) < 1, `the function's own result is ${taken.result}`);
  ensure(/^unary.*reduceRows.*copy$/.test(names.join(' ')), names.join(' '));
  let last = 0;
  for (const { kernel, start, seconds } of taken.spans) {
    ensure(start >= last, `${kernel} begins at ${start}, before the one before it`);
    ensure(seconds >= 0 && start + seconds <= taken.seconds, `${kernel} takes ${seconds} of ${taken.seconds} s`);
    last = start;
  }
  ensure((await profile(() => x.sum().item())).result === 4096, 'expected a second profile to work');
});

test('profileRows and chromeTrace report kernels and operations, with the work that run was given', async () => {
  const y = zeros([4]);
  await y.data();
  const { spans, adapter, stamps, seconds } = await profile(() => {
    for (const name of ['a', 'b', 'a']) run(touch, { y }, {}, 1, { name, flops: 10, bytes: 8 });
    run(touch, { y }, {}, 1);
  });
  const rows = profileRows(spans, { flops: 1e9, bytes: 1e9 });
  const totals = rows.map(({ work, calls, flops, bytes }) => `${work}: ${calls} ${flops} ${bytes}`).sort();
  ensure(totals.join(', ') === ': 1 null 16, a: 2 20 16, b: 1 10 8', totals.join(', '));
  const shares = rows.reduce((sum, row) => sum + row.share, 0);
  ensure(Math.abs(shares - 1) < 1e-9, `the shares add up to ${shares}`);
  const trace = JSON.parse(chromeTrace({ spans, adapter, stamps, seconds, result: undefined }));
  ensure(
    trace.traceEvents.filter((event: { ph: string }) => event.ph === 'X').length === 4,
    'expected a trace event per kernel',
  );
  ensure((await y.data())[0] === 4, 'expected every kernel once');
});

test('profile refuses a nested profile', async () => {
  let message = '';
  await profile(async () => {
    try {
      await profile(() => {});
    } catch (reason) {
      message = String(reason);
    }
  });
  ensure(message === `${ValueError.name}: profile: another profile is being taken; await it first`, message);
});

test('measurePeak finds that the adapter computes and copies', async () => {
  const { flops, bytes } = await measurePeak();
  ensure(Number.isFinite(flops) && flops > 1e7, `${flops} operations a second`);
  ensure(Number.isFinite(bytes) && bytes > 1e7, `${bytes} bytes a second`);
});
