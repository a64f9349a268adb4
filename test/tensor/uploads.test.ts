// Uploads without reads are submitted by their bytes, so that neither buffers nor staged copies accumulate.
import { device, memory, scope, tensor } from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const megabyte = 2 ** 20;
const batch = new Float32Array((4 * megabyte) / 4);

test('uploads are submitted every 64 MB, with and without commands between them, and reuse their buffers', async () => {
  const step = (): void => scope(() => void tensor(batch).mul(2).sum());
  step();
  await device().synchronize();
  const [submits, before] = [currentDevice().submits, memory()];
  for (let i = 0; i < 96; i++) step();
  const after = memory();
  const held = (report: typeof after): number => report.liveBytes + report.unusedBytes;
  ensure(currentDevice().submits - submits >= 5, `${currentDevice().submits - submits} submits for 384 MB`);
  ensure(held(after) - held(before) <= 80 * megabyte, `${held(after) - held(before)} bytes more`);
  await device().synchronize();
  for (let i = 0; i < 32; i++) scope(() => void tensor(batch));
  ensure(held(memory()) - held(before) <= 80 * megabyte, 'expected uploads to reuse buffers');
});
