// The kernels that measure peak rates do the work that they report.
import { type Kernel, randn, run, zeros } from '@mien/tensor';
import { kernels } from '@mien/tensor/internal';
import { ensure, near } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** All specializations of a kernel. */
function formsOf(entry: string): readonly Kernel[] {
  return kernels().filter(({ label }) => label === entry || label.startsWith(`${entry}<`));
}

test('the peak arithmetic kernel runs every step of every chain, in every workgroup', async () => {
  const [form] = formsOf('peakArithmetic') as [Kernel];
  const [lanes, chains, steps] = [form.const('LANES'), form.const('CHAINS'), form.const('STEPS') * form.const('TRIPS')];
  const groups = 3;
  const y = zeros([groups * lanes, 4]);
  run(form, { y }, { factor: 1, step: 1 }, groups);
  // Chain c of a lane starts at c + lane, and each step adds one.
  const actual = await y.data();
  const sum = (lane: number): number =>
    Array.from({ length: chains }, (_, c) => c + lane + steps).reduce((a, b) => a + b);
  ensure(
    actual.every((value, i) => value === sum(Math.floor(i / 4) % lanes)),
    `lane 1 has ${actual[4]}, expected ${sum(1)}`,
  );
});

test('the peak copy kernels copy every vec4, in every specialization', async () => {
  const forms = formsOf('peakCopy');
  ensure(forms.length > 1, `${forms.length} forms`);
  for (const form of forms) {
    const x = randn([4 * 1237]);
    const y = zeros([4 * 1237]);
    run(form, { x, y }, {}, Math.ceil(1237 / (form.const('LANES') * form.const('VECTORS'))));
    await near(y, { shape: x.shape, data: Float64Array.from(await x.data()) });
  }
});
