// `mien doctor`: what it finds on this adapter, and on the same adapter with faults.
import { checkThoroughly, doctor } from '@mien/fer/node';
import { device, examineAdapters } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { faults } from '../faults/faults.ts';
import { withFault } from '../faults/inject.ts';
import { test } from '../harness.ts';

/** Files of kernels that adapters of some kind do not choose: see `fits` and `pays` of the operations' algorithms. */
const measured = ['peakArithmetic', 'peakCopy'];
const wide = ['gemmWorkgroup', 'implicitWorkgroup', 'weightGradientWorkgroup'];
const subgroups = ['gemmSubgroup', 'implicitSubgroup', 'weightGradientSubgroup', 'lowerRows'];
const domains = ['winogradScatter', 'winogradGather'];

test(
  'doctor trusts every operation on this adapter, with every kernel that it chooses',
  async () => {
    const { thorough, unhealthy } = await doctor({ adapter: device().facts.name, thorough: true });
    ensure(unhealthy === null && thorough !== null, `${unhealthy}: ${JSON.stringify(thorough?.operations)}`);
    ensure(thorough.operations.length > 75, `only ${thorough.operations.length} operations were checked`);
    const { subgroupSize } = device().limits;
    const expected = new Set([
      ...measured,
      ...(device().narrow ? wide : []),
      ...(subgroupSize === 8 ? ['gemm'] : subgroups),
      ...(subgroupSize === 4 ? domains : []),
    ]);
    const unknown = thorough.kernels.notChosen.filter((name) => !expected.has(name));
    ensure(unknown.length === 0, `no case dispatches ${unknown.join(', ')}; add one to packages/fer/src/doctor`);
  },
  { seconds: 300 },
);

for (const name of ['every 31st dispatch left out', 'every 3rd copy left out', 'every 4th read gives zeros']) {
  test(`doctor does not trust an adapter with this fault: ${name}`, async () => {
    const fault = faults.find((each) => each.name === name);
    ensure(fault !== undefined, 'it is not in the list');
    const { operations } = await withFault(fault, () => checkThoroughly({ untilWrong: true }));
    ensure(operations.at(-1)?.verdict === 'wrong', 'every operation seems right');
  });
}

test('doctor reports the start check of every adapter', async () => {
  const fault = faults.find((each) => each.name === 'copies end at half of their bytes');
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
