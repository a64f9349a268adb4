// Training on an adapter without the memory for its batch.
import { drawFaces, split, Training, trainingConfig } from '@mien/fer';
import { device, LimitError, memory, zeros } from '@mien/tensor';
import { withFailingAllocations } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const train = split(drawFaces({ training: 16, publicTest: 1, privateTest: 1 }), 'Training');
const begin = (microBatch?: number): Training =>
  new Training({
    model: 'nano',
    train,
    config: trainingConfig('nano', 'drawn', { batchSize: 24, epochs: 9, ...(microBatch ? { microBatch } : {}) }),
  });

/** Runs `fn` on a device with at most `bytes` of memory. */
function withMemory<T>(bytes: number, fn: () => Promise<T>): Promise<T> {
  return withFailingAllocations(() => memory().liveBytes + memory().unusedBytes > bytes, fn);
}

async function emptied(): Promise<number> {
  await device().synchronize();
  device().freeUnused();
  return memory().liveBytes;
}

test('Training without memory for its batch names one that fits, also at every later call', async () => {
  // The peak of earlier work does not count.
  zeros([1 << 26]).dispose();
  const before = await emptied();
  let wanted = 0;
  {
    using training = begin();
    for (let i = 0; i < 3; i++) await training.step();
    await training.drain();
    wanted = memory().liveBytes + memory().unusedBytes - before;
  }
  const bytes = (await emptied()) + 0.55 * wanted;
  const fits = await withMemory(bytes, async () => {
    using training = begin();
    const failure = await (async () => {
      for (let i = 0; i < 3; i++) await training.step();
      await training.drain();
    })().then(
      () => null,
      (reason: Error) => reason,
    );
    assert.instance(failure, LimitError);
    const { message } = failure as LimitError;
    assert.match(
      message,
      /^training: 24 images at a time do not fit .*; use --micro-batch \d+ or less .*\(memory: the adapter has no room for \w+ /,
    );
    for (const call of [() => training.step(), () => training.drain(), () => training.checkpoint()]) {
      assert.is(
        await call().then(
          () => '',
          (reason: Error) => reason.message,
        ),
        message,
      );
    }
    return Number(/--micro-batch (\d+)/.exec(message)?.[1]);
  });
  ensure(fits < 24 && fits >= 2, `${fits} images`);
  await emptied();
  await withMemory(bytes, async () => {
    using training = begin(fits);
    for (let i = 0; i < 4; i++) await training.step();
    const reports = await training.drain();
    ensure(reports.length > 0 && reports.every(({ loss }) => Number.isFinite(loss)), 'it trains with what was named');
  });
});
