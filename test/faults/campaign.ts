// npm run faults: measures for every fault whether it changes training losses and which checks detect it. Each fault runs in
// a separate process, which is this file with a job.
import { writeFileSync } from 'node:fs';
import { device, init } from '@mien/tensor';
import { type Job, type Outcome, tryFault } from './child.ts';
import { faults } from './faults.ts';
import { type Fault, withFault } from './inject.ts';
import { type Change, cleanLosses, runStage, type Stage, tolerance } from './stages.ts';
import { unseenFaults } from './unseen.ts';

interface Result {
  readonly kind: Fault['kind'];
  readonly fault: string;
  /** Null if training did not finish; `ended` has the reason. */
  readonly change: Change | null;
  readonly done: readonly Stage[];
  /** Stages that timed out or whose process ended, with the reason. */
  readonly ended: Readonly<Partial<Record<Stage, string>>>;
  /** The message of each check; null if it reports nothing. */
  readonly startCheck: string | null;
  readonly thorough: string | null;
}

interface CampaignOptions {
  readonly words: readonly string[];
  readonly seed: number;
  readonly file: string | null;
  readonly startOnly: boolean;
}

const parallelProcesses = 2;

const argument = JSON.parse(process.argv[2] ?? '{}') as CampaignOptions | Job;
await init();
if ('stages' in argument) await work(argument);
else await campaign(argument);

/** The process of one fault. */
async function work({ fault: name, stages, seed, clean }: Job): Promise<void> {
  const fault = name === null ? null : select([name]).find((each) => each.name === name);
  if (fault === undefined) throw new RangeError(`faults: no fault is named ${name}`);
  for (const stage of stages) {
    const outcome = await runStage(stage, fault, seed, clean);
    await new Promise((resolve) => process.send?.({ stage, outcome }, resolve));
  }
  process.exit(0);
}

/** Faults that the checks were not built for run only if a word selects them: `npm run faults -- unseen`. */
function select(words: readonly string[]): readonly Fault[] {
  if (words.length === 0) return faults;
  return [...faults, ...unseenFaults].filter(({ name }) => words.some((word) => name.includes(word)));
}

async function campaign({ words, seed, file, startOnly }: CampaignOptions): Promise<void> {
  const adapter = `${device().facts.name}, ${device().facts.description}`;
  const clean = await withFault(null, () => cleanLosses(seed));
  device().destroy();
  const stages: readonly Stage[] = startOnly ? ['startCheck'] : ['startCheck', 'change', 'thorough'];
  process.stdout.write(`${adapter}, seed ${seed}; change of losses, start check, thorough check\n`);
  const write = (report: object): void => {
    // JSON has no Infinity.
    const replacer = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 'Infinity' : value);
    if (file) writeFileSync(file, `${JSON.stringify({ adapter, seed, ...report }, replacer, 2)}\n`);
  };
  const selected = select(words);
  const results = new Map<string, Result>();
  const inOrder = (): readonly Result[] => selected.flatMap(({ name }) => results.get(name) ?? []);
  const queue = selected.values();
  const runQueue = async (): Promise<void> => {
    for (const fault of queue) {
      const result = resultOf(fault, await tryFault(fault.name, stages, seed, clean));
      results.set(fault.name, result);
      const columns = [
        fault.name.padEnd(64),
        changeText(result).padStart(9),
        verdict(result, 'startCheck'),
        verdict(result, 'thorough'),
      ];
      process.stdout.write(`${columns.join('  ')}\n`);
      write({ tried: inOrder() });
    }
  };
  await Promise.all(Array.from({ length: parallelProcesses }, runQueue));
  const tried = inOrder();
  const outcomes = await tryFault(null, stages, seed, clean);
  const control = resultOf({ name: 'none', kind: 'text', install: () => () => {} }, outcomes);
  const alarms = [control.startCheck, control.thorough, ...Object.values(control.ended)].filter(
    (each) => each !== null,
  );
  const effective = tried.filter(({ change }) => (change?.change ?? 0) > tolerance);
  const detected = (check: 'startCheck' | 'thorough', among: readonly Result[]): number =>
    among.filter((each) => each[check] !== null).length;
  const hung = tried.filter(({ ended }) => ended.change !== undefined);
  const among = startOnly ? tried : effective;
  process.stdout.write(
    [
      `${tried.length} faults${startOnly ? '' : `, ${effective.length} change the losses`}`,
      `of ${among.length} the start check detects ${detected('startCheck', among)}${startOnly ? '' : `, the thorough check ${detected('thorough', among)}`}`,
      `${hung.length} hang or stop training, of which the start check detects ${detected('startCheck', hung)}`,
      `without a fault the checks report ${alarms.join('; ') || 'nothing'}\n`,
    ].join('\n'),
  );
  write({ tried, alarms });
  const all = among.every(({ startCheck, thorough }) => startCheck !== null && (startOnly || thorough !== null));
  process.exit(all && alarms.length === 0 ? 0 : 1);
}

function resultOf({ name, kind }: Fault, outcomes: ReadonlyMap<Stage, Outcome>): Result {
  const change = outcomes.get('change');
  const ended = [...outcomes].flatMap(([stage, outcome]) => ('ended' in outcome ? [[stage, outcome.ended]] : []));
  const report = (stage: Stage): string | null => {
    const outcome = outcomes.get(stage);
    return outcome && 'report' in outcome ? outcome.report : null;
  };
  return {
    ...{ kind, fault: name, done: [...outcomes.keys()], change: change && 'change' in change ? change.change : null },
    ...{ ended: Object.fromEntries(ended), startCheck: report('startCheck'), thorough: report('thorough') },
  };
}

function changeText({ change, ended }: Result): string {
  if (ended.change !== undefined) return /timed/.test(ended.change) ? 'timed out' : 'ended';
  if (change === null) return '';
  return change.thrown === null ? change.change.toPrecision(2) : 'threw';
}

function verdict({ done, ended, ...reports }: Result, stage: 'startCheck' | 'thorough'): string {
  if (ended[stage] !== undefined) return /timed/.test(ended[stage]) ? 'timed out' : 'ended';
  if (!done.includes(stage)) return '';
  return reports[stage] === null ? 'missed' : 'detected';
}
