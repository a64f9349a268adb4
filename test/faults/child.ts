// One fault in a process of its own, which is stopped where a stage takes too long: a wrong number can make a loop endless.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Clean, type Found, limits, type Stage } from './stages.ts';

/** What the process is asked to do: the name of a fault, or null for none. */
export interface Job {
  readonly fault: string | null;
  readonly stages: readonly Stage[];
  readonly seed: number;
  readonly clean: Clean;
}

/** What it sends for each stage, in the order of `Job.stages`. */
export type Outcome = Found | { readonly ended: string };

const stages = ['startCheck', 'change', 'thorough'] as const;

/** Does the stages of one fault; what ends or hangs in one still does the others. */
export async function tryFault(
  fault: string | null,
  wanted: readonly Stage[],
  seed: number,
  clean: Clean,
): Promise<ReadonlyMap<Stage, Outcome>> {
  const outcomes = new Map<Stage, Outcome>();
  for (;;) {
    const rest = stages.filter((stage) => wanted.includes(stage) && !outcomes.has(stage));
    const [next] = rest;
    if (next === undefined) return outcomes;
    const ended = await run({ fault, stages: rest, seed, clean }, outcomes);
    const failed = rest.find((stage) => !outcomes.has(stage));
    if (failed !== undefined) outcomes.set(failed, { ended });
  }
}

/** Runs one process; resolves with how it ended. */
function run(job: Job, outcomes: Map<Stage, Outcome>): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(job)], {
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    serialization: 'advanced', // losses that are not numbers, too
  });
  let reason: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    const stage = job.stages.find((each) => !outcomes.has(each));
    if (stage === undefined) return;
    const end = (): void => {
      reason = `timed out after ${limits[stage]} s`;
      child.kill('SIGKILL');
    };
    timer = setTimeout(end, 1000 * limits[stage]);
  };
  watch();
  child.on('message', ({ stage, outcome }: { stage: Stage; outcome: Found }) => {
    outcomes.set(stage, outcome);
    watch();
  });
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(reason ?? `the process ended with ${signal ?? code}`);
    });
  });
}
