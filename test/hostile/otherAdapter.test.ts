import { device, init } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('init refuses another adapter once the default device is made, and gives the same device for its own name', async () => {
  const before = device();
  const message = await init({ adapter: 'voodoo' }).then(
    () => 'accepted',
    (reason: Error) => reason.message,
  );
  const expected = `init: the default device is ${before.facts.name} already, not voodoo; ask for it in the first call`;
  ensure(message === expected, message);
  ensure((await init({ adapter: before.facts.name.toLowerCase() })) === before, 'another device');
  ensure((await init()) === before, 'another device');
});
