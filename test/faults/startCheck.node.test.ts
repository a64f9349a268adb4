// The start check detects a sample of faults; `npm run faults` runs all of them.
import { DeviceError, device } from '@mien/tensor';
import { openDevice } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { faults } from './faults.ts';
import { type Fault, replace, withFault } from './inject.ts';

/** The error of opening a device on an adapter with a fault, or null. */
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
  ['max computed as min', 'functions of floats'],
  ['u32 products without their highest bit', 'integers'],
  ['workgroup memory read at a neighboring index', 'workgroup memory and barriers'],
  ['every 7th dispatch skipped', 'dispatches'],
  ['every 5th dispatch executed twice', 'dispatches'],
  ['z of the grid ignored', 'dispatches'],
  ['binding offsets ignored', 'dispatches'],
  ['every 5th dynamic offset replaced by the previous one', 'dispatches'],
  ['every 3rd copy skipped', 'copies'],
  ['every 5th read returns the previous data', 'host writes and reads'],
];

for (const [name, kind] of sample) {
  test(`openDevice refuses an adapter with this fault: ${name}`, async () => {
    const fault = faults.find((each) => each.name === name);
    ensure(fault !== undefined, 'no such fault');
    const error = await errorOf(fault);
    ensure(error instanceof DeviceError && error.message.includes(`start check: ${kind}`), `got ${error}`);
  });
}

test('openDevice accepts the adapter of the tests ten times', async () => {
  for (let i = 0; i < 10; i++) (await openDevice({ adapter: device().facts.name })).gpu.destroy();
});

test('openDevice reports the loss of a device during the start check', async () => {
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
  const error = await errorOf({ name: 'lost', kind: 'dispatches', install: lose });
  ensure(error instanceof DeviceError && error.message.includes('was lost'), `got ${error}`);
});
