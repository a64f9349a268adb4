// Runs each variant of each problem: first checks its answer and notes its kernels, then measures its time.
import { device, init, profile, profileRows } from '@mien/tensor';
import { kernels } from '@mien/tensor/internal';
import { measure } from './measure.ts';
import type { Problem, Variant } from './variant.ts';

/** Prints a line for each variant: its error over the tolerance (above 1 is wrong), its rate, its kernels and their tile sizes. */
export async function tryAll(problems: () => readonly Problem[]): Promise<void> {
  const { facts } = await init();
  process.stdout.write(`on ${facts.name} (${facts.description})\n`);
  for (const problem of problems()) {
    process.stdout.write(`\n${problem.name}\n`);
    for (const variant of problem.variants) process.stdout.write(`  ${await line(problem, variant)}\n`);
  }
}

async function line(problem: Problem, { name, expected = problem.expected, run }: Variant): Promise<string> {
  try {
    const { result: y, spans } = await profile(run);
    const actual = await y.data();
    y.dispose();
    const ratios = expected.data.map((v, i) => Math.abs(v - (actual[i] ?? Number.NaN)) / (expected.error?.[i] ?? 0));
    const ratio = ratios.reduce((most, each) => Math.max(most, each), 0);
    const { median, unit } = await measure(name, { flops: problem.flops }, async () => {
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

/** A kernel's name and its constants. */
function described(label: string): string {
  const consts = Object.entries(kernels().find((kernel) => kernel.label === label)?.consts ?? {});
  return `${label.replace(/<.*/, '')} (${consts.map(([name, value]) => `${name} ${value}`).join(', ')})`;
}
