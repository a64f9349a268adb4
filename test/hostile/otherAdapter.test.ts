import { device, init } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('init refuses another adapter after the first call, and returns the same device for the same adapter', async () => {
  const before = device();
  const message = await init({ adapter: 'voodoo' }).then(
    () => 'accepted',
    (reason: Error) => reason.message,
  );
  const expected = `init: the default device is already ${before.facts.name}, not voodoo; request it in the first call`;
  ensure(message === expected, message);
  ensure((await init({ adapter: before.facts.name.toLowerCase() })) === before, 'got another device');
  ensure((await init()) === before, 'got another device');
});
