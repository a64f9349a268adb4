import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kernel, run, zeros } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const slow = kernel(`struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn slowSum() { for (var i = 0u; i < params.rounds; i++) { y[0] = y[0] * 0.5 + 1; } }
`);

test('a host read sleeps while the device works', async () => {
  const y = zeros([1]);
  let milliseconds = 0;
  let busy = 1;
  // Enough work for any adapter to distinguish sleeping from polling.
  for (let rounds = 1 << 16; milliseconds < 100 && rounds < 1 << 28; rounds *= 4) {
    run(slow, { y }, { rounds }, 1);
    const start = performance.now();
    const before = performance.eventLoopUtilization();
    await y.item();
    busy = performance.eventLoopUtilization(before).utilization;
    milliseconds = performance.now() - start;
  }
  assert.ok(busy < 0.5, `the host was busy for ${Math.round(100 * busy)} % of ${Math.round(milliseconds)} ms`);
});

test('setImmediate is unchanged for other callers', async () => {
  const words = await new Promise((done) => setImmediate((...args) => done(args), 'a', 'b'));
  assert.equal(words, ['a', 'b']);
  assert.is(await promisify(setImmediate)('c'), 'c');
  assert.is(await nextTurn('d'), 'd');
  const canceled = setImmediate(() => assert.unreachable());
  clearImmediate(canceled);
  await nextTurn();
});
