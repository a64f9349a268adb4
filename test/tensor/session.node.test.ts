// The session: all state that the library keeps between calls. A test can create a new one.
import { readdirSync, readFileSync } from 'node:fs';
import {
  collectedTensors,
  DeviceError,
  defaultGenerator,
  device,
  gradEnabled,
  init,
  manualSeed,
  memory,
  ones,
  scope,
  tensor,
} from '@mien/tensor';
import { currentPlace, openScope, withNewSession } from '@mien/tensor/internal';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { withOwnDevice } from '../ownDevice.ts';

test('withNewSession starts with defaults and without a device, and restores the current session', () =>
  withOwnDevice(async () => {
    const before = device();
    const bytes = memory().liveBytes;
    manualSeed(7);
    const close = openScope();
    await withNewSession(async () => {
      ensure(gradEnabled() && currentPlace() === null && defaultGenerator().seed === 0, 'expected default settings');
      ensure(Object.keys(collectedTensors()).length === 0, 'expected no collected tensors');
      refuses(() => ones([1]), DeviceError, 'device: there is no device yet');
      const other = await init({ adapter: before.facts.name });
      ensure(other !== before && memory().liveBytes === 0, 'expected a separate device');
      const x = tensor([1, 2], { requiresGrad: true });
      scope(() => x.square().sum().backward());
      ensure((await x.grad?.data())?.join() === '2,4', 'the gradient');
      other.destroy();
    });
    ensure(device() === before && defaultGenerator().seed === 7, 'expected the previous session');
    close(undefined);
    ensure(memory().liveBytes === bytes, `${memory().liveBytes - bytes} bytes`);
    ensure((await tensor([3]).square().item()) === 9, 'expected the first device to work');
  }));

test('withNewSession restores the current session when its function throws', async () => {
  const before = device();
  const reason = await withNewSession(() => ones([1])).catch((error: unknown) => error);
  ensure(reason instanceof DeviceError && device() === before, String(reason));
});

test('withNewSession covers every module-level variable', () => {
  const folder = 'packages/tensor/src';
  // State of the machine and the process, and functions that a class sets.
  const allowed = ['device/gpu.node.ts', 'device/swiftshader.node.ts', 'device/dawnPolling.node.ts'];
  const lines = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !allowed.includes(name))
    .flatMap((name) =>
      readFileSync(`${folder}/${name}`, 'utf8')
        .split('\n')
        .filter((line) => /^(?:export )?(?:let|var) /.test(line) && !/: (?:<[^>]*>)?\(.*\) => /.test(line))
        .map((line) => `${name}: ${line}`),
    );
  ensure(lines.length === 0, `keep these in a slot of session.ts: ${lines.join('; ')}`);
});
