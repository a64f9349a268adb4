// Runs one fault in a separate process, which is killed if a stage takes too long: a wrong value can make a loop endless.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Clean, limits, type Stage, type StageResult } from './stages.ts';

/** The input of the process. */
export interface Job {
  /** Name of a fault; null for none. */
  readonly fault: string | null;
  readonly stages: readonly Stage[];
  readonly seed: number;
  readonly clean: Clean;
}

/** Result of a stage, or the reason why it did not finish. */
export type Outcome = StageResult | { readonly ended: string };

const stages = ['startCheck', 'change', 'thorough'] as const;

/** Runs the stages of one fault; the others still run if one hangs or ends its process. */
export async function tryFault(
  fault: string | null,
  selected: readonly Stage[],
  seed: number,
  clean: Clean,
): Promise<ReadonlyMap<Stage, Outcome>> {
  const outcomes = new Map<Stage, Outcome>();
  for (;;) {
    const rest = stages.filter((stage) => selected.includes(stage) && !outcomes.has(stage));
    const [next] = rest;
    if (next === undefined) return outcomes;
    const ended = await run({ fault, stages: rest, seed, clean }, outcomes);
    const failed = rest.find((stage) => !outcomes.has(stage));
    if (failed !== undefined) outcomes.set(failed, { ended });
  }
}

/** Runs one process; resolves with the reason for its end. */
function run(job: Job, outcomes: Map<Stage, Outcome>): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(job)], {
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    serialization: 'advanced', // keeps NaN losses
  });
  let reason: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    const stage = job.stages.find((each) => !outcomes.has(each));
    if (stage === undefined) return;
    const kill = (): void => {
      reason = `timed out after ${limits[stage]} s`;
      child.kill('SIGKILL');
    };
    timer = setTimeout(kill, 1000 * limits[stage]);
  };
  watch();
  child.on('message', ({ stage, outcome }: { stage: Stage; outcome: StageResult }) => {
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
