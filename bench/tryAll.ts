// Runs each variant of each trial: first its answer and the kernels that it took, then its time.
import { device, init, profile, profileRows } from '@mien/tensor';
import { kernels } from '@mien/tensor/internal';
import { measure } from './measure.ts';
import type { Trial, Variant } from './variant.ts';

/** Prints a line for each variant: its error over the tolerance (above 1 is wrong), its rate, its kernels and their tile sizes. */
export async function tryAll(trials: () => readonly Trial[]): Promise<void> {
  const { facts } = await init();
  process.stdout.write(`on ${facts.name} (${facts.description})\n`);
  for (const trial of trials()) {
    process.stdout.write(`\n${trial.name}\n`);
    for (const variant of trial.variants) process.stdout.write(`  ${await line(trial, variant)}\n`);
  }
}

async function line(trial: Trial, { name, expected = trial.expected, run }: Variant): Promise<string> {
  try {
    const { result: y, spans } = await profile(run);
    const found = await y.data();
    y.dispose();
    const ratios = expected.data.map((v, i) => Math.abs(v - (found[i] ?? Number.NaN)) / (expected.error?.[i] ?? 0));
    const ratio = ratios.reduce((most, each) => Math.max(most, each), 0);
    const { median, unit } = await measure(name, { flops: trial.flops }, async () => {
      (await run()).dispose();
      await device().synchronize();
    });
    const wrong = ratio <= 1 ? '' : '  WRONG';
    const used = profileRows(spans).map(({ kernel }) => described(kernel));
    return `${name.padEnd(10)} error ${ratio.toFixed(3)} of tolerance  ${median.toPrecision(3).padStart(6)} ${unit}${wrong}  ${used.join(' + ')}`;
  } catch (reason) {
    return `${name.padEnd(10)} ${reason instanceof Error ? reason.message : reason}`;
  }
}

/** A kernel and the numbers that it was made with. */
function described(label: string): string {
  const consts = Object.entries(kernels().find((kernel) => kernel.label === label)?.consts ?? {});
  return `${label.replace(/<.*/, '')} (${consts.map(([name, value]) => `${name} ${value}`).join(', ')})`;
}
