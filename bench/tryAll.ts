// Runs each variant of each trial: first its answer, then its time.
import { device, init, scope } from '@mien/tensor';
import { tolerance } from '@mien/tensor/testing';
import { measure } from './measure.ts';
import type { Trial, Variant } from './variant.ts';

/** Prints a line for each variant: its error over the tolerance (above 1 is wrong), its rate and its consts. */
export async function tryAll(trials: () => readonly Trial[]): Promise<void> {
  const { facts } = await init();
  process.stdout.write(`on ${facts.name} (${facts.description})\n`);
  for (const trial of trials()) {
    process.stdout.write(`\n${trial.name}\n`);
    for (const variant of trial.variants) process.stdout.write(`  ${await line(trial, variant)}\n`);
  }
}

async function line(trial: Trial, { name, consts, run }: Variant): Promise<string> {
  const sizes = Object.entries(consts).map(([key, value]) => `${key} ${value}`);
  try {
    const y = scope(run);
    const found = await y.data();
    y.dispose();
    const largest = trial.expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const error = trial.expected.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (found[i] ?? Number.NaN))), 0);
    const ratio = error / tolerance(trial.terms, largest);
    const { median, unit } = await measure(name, { flops: trial.flops }, async () => {
      scope(() => void run());
      await device().synchronize();
    });
    const wrong = ratio <= 1 ? '' : '  WRONG';
    return `${name.padEnd(28)} error ${ratio.toFixed(3)} of tolerance  ${median.toPrecision(3).padStart(6)} ${unit}  ${sizes.join(', ')}${wrong}`;
  } catch (reason) {
    return `${name.padEnd(28)} ${reason instanceof Error ? reason.message : reason}  ${sizes.join(', ')}`;
  }
}
