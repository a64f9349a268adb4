// A lost device invalidates captured functions. In a separate process, because the tests share one device.
import { spawnSync } from 'node:child_process';
import { device } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('a captured function throws after its device was lost, and on another device', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'test/tensor/lostDevice.ts'], {
    env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
    encoding: 'utf8',
  });
  const [first, second] = stdout.split('\n');
  assert.match(first ?? '', 'DeviceError: device: lost', stderr);
  assert.match(
    second ?? '',
    'CaptureError: capture: the function was captured on another device, which was lost',
    stderr,
  );
});
