// The start check sees faults of adapters: a sample; `npm run faults` tries all.
import { DeviceError, device } from '@mien/tensor';
import { openDevice } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { faults } from './faults.ts';
import { type Fault, replace, withFault } from './inject.ts';

/** The error that `init` would throw on an adapter with a fault, or null. */
async function errorOf(fault: Fault): Promise<unknown> {
  try {
    const { gpu } = await withFault(fault, () => openDevice({ adapter: device().facts.name }));
    gpu.destroy();
    return null;
  } catch (reason) {
    return reason;
  }
}

const sample: readonly (readonly [name: string, kind: string])[] = [
  ['exp off by 0.3 %', 'functions of floats'],
  ['max as min', 'functions of floats'],
  ['products of u32 lose their highest bit', 'integers'],
  ['workgroup memory read one place beside', 'workgroup memory and barriers'],
  ['every 7th dispatch left out', 'dispatches'],
  ['every 5th dispatch done twice', 'dispatches'],
  ['z of the grid ignored', 'dispatches'],
  ['offsets of bindings ignored', 'dispatches'],
  ['every 5th dynamic offset is the one before', 'dispatches'],
  ['every 3rd copy left out', 'copies'],
  ['every 5th read gives what the one before gave', 'host writes and reads'],
];

for (const [name, kind] of sample) {
  test(`the start check refuses an adapter with this fault: ${name}`, async () => {
    const fault = faults.find((each) => each.name === name);
    ensure(fault !== undefined, 'it is not in the list');
    const found = await errorOf(fault);
    ensure(found instanceof DeviceError && found.message.includes(`start check: ${kind}`), `found ${found}`);
  });
}

test('the start check accepts the adapter of the tests ten times', async () => {
  for (let i = 0; i < 10; i++) (await openDevice({ adapter: device().facts.name })).gpu.destroy();
});

test('a device that is lost during the start check is reported as lost', async () => {
  let submits = 0;
  const lose = (): (() => void) =>
    replace<(this: GPUDevice) => GPUCommandEncoder>(
      'GPUDevice',
      'createCommandEncoder',
      (original) =>
        function () {
          if (++submits === 3) this.destroy();
          return original.call(this);
        },
    );
  const found = await errorOf({ name: 'lost', kind: 'dispatches', install: lose });
  ensure(found instanceof DeviceError && found.message.includes('was lost'), `found ${found}`);
});
