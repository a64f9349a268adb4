// `mien doctor` on this adapter, and on the same adapter with faults.
import { checkThoroughly, doctor } from '@mien/fer/node';
import { device, examineAdapters, init } from '@mien/tensor';
import { currentDevice, withDispatches, withLimits } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { publicNames } from '../../scripts/publicNames.mjs';
import { faults } from '../faults/faults.ts';
import { withFault } from '../faults/inject.ts';
import { test } from '../harness.ts';

/** Files of kernels that adapters of some kind do not choose: see `fits` and `isPreferred` of the operations' algorithms. */
const measured = ['peakArithmetic', 'peakCopy'];
const wide = ['gemmWorkgroup', 'implicitWorkgroup', 'weightGradientWorkgroup'];
const subgroups = ['gemmSubgroup', 'implicitSubgroup', 'weightGradientSubgroup', 'lowerRows'];
const domains = ['winogradScatter', 'winogradGather'];

test(
  'doctor trusts every operation on this adapter, with every kernel that it chooses',
  async () => {
    const { thorough, unhealthy } = await doctor({ adapter: device().facts.name, thorough: true });
    ensure(unhealthy === null && thorough !== null, `${unhealthy}: ${JSON.stringify(thorough?.operations)}`);
    const checked = new Set(thorough.operations.map(({ operation }) => operation));
    // Losses of nn are composed of these.
    const operations = publicNames().filter(
      ({ kind, file }) => kind === 'operation' && file.startsWith('packages/tensor'),
    );
    const missing = operations.filter(({ name }) => !checked.has(name));
    ensure(
      missing.length === 0,
      `no case checks ${missing.map(({ name }) => name)}; add one to packages/fer/src/doctor`,
    );
    const { subgroupSize } = device().limits;
    const expected = new Set([
      ...measured,
      ...(currentDevice().narrow ? wide : []),
      ...(subgroupSize === 8 ? ['gemm'] : subgroups),
      ...(subgroupSize === 4 ? domains : []),
    ]);
    const unknown = thorough.kernels.notChosen.filter((name) => !expected.has(name));
    ensure(unknown.length === 0, `no case dispatches ${unknown.join(', ')}; add one to packages/fer/src/doctor`);
  },
  { seconds: 300 },
);

for (const name of ['every 31st dispatch skipped', 'every 3rd copy skipped', 'every 4th read returns zeros']) {
  test(`doctor does not trust an adapter with this fault: ${name}`, async () => {
    const fault = faults.find((each) => each.name === name);
    ensure(fault !== undefined, 'it is not in the list');
    const { operations } = await withFault(fault, () => checkThoroughly({ untilWrong: true }));
    ensure(operations.at(-1)?.verdict === 'wrong', 'every operation seems right');
  });
}

/** The limits of a GPU, which selects workgroup kernels with barriers instead of subgroup kernels. */
const gpu = { subgroupSize: 32, processor: false };

test('on a GPU doctor checks the kernels of workgroups', async () => {
  const ran = new Set<string>();
  const operations = ['sum', 'matmul', 'conv2d', 'batchNorm'];
  await withLimits(gpu, async () => {
    const report = await withDispatches(
      ({ kernel }) => ran.add(kernel.name),
      () => checkThoroughly({ operations }),
    );
    const wrong = report.operations.filter(({ verdict }) => verdict === 'wrong');
    ensure(wrong.length === 0 && report.operations.length === operations.length, JSON.stringify(report.operations));
  });
  const missing = [...wide, 'reduceRows', 'channelMoments'].filter((name) => !ran.has(name));
  ensure(missing.length === 0, `no case dispatches ${missing.join(', ')}`);
});

// Adapters with narrow subgroups select workgroups of one subgroup, whose lanes run in lockstep: there a barrier has no effect.
test('doctor does not trust a GPU with this fault: workgroup barriers removed', async () => {
  const fault = faults.find(({ name }) => name === 'workgroup barriers removed');
  ensure(fault !== undefined, 'it is not in the list');
  const adapter = device().facts.name;
  const freshDevice = async (): Promise<void> => {
    device().destroy();
    // The loss of the device is reported in a later turn.
    await new Promise((turn) => setTimeout(turn, 30));
    await init({ adapter });
  };
  // Compiled pipelines already have their barriers.
  await freshDevice();
  try {
    const check = () => checkThoroughly({ untilWrong: true, operations: ['sum', 'batchNorm', 'matmul'] });
    await withLimits(gpu, async () => {
      const { operations } = await withFault(fault, check);
      ensure(operations.at(-1)?.verdict === 'wrong', 'every operation seems right');
    });
  } finally {
    await freshDevice();
  }
});

test('examineAdapters reports the start check of every adapter', async () => {
  const fault = faults.find((each) => each.name === 'copies truncated to half their size');
  ensure(fault !== undefined, 'it is not in the list');
  const name = device().facts.name;
  const clean = await examineAdapters({ adapter: name });
  ensure(clean.adapters.length > 0 && clean.problem === null, JSON.stringify(clean));
  const { adapters, problem } = await withFault(fault, () => examineAdapters({ adapter: name }));
  ensure(`${problem}`.includes('failed the start check'), `found ${problem}`);
  ensure(
    adapters.every(({ startCheck, used }) => startCheck !== 'right' && !used),
    JSON.stringify(adapters),
  );
});
