// npm run faults: every fault on this adapter: whether it changes a training, and which checks see it. Each runs in a process
// of its own, which is this file with a job.
import { writeFileSync } from 'node:fs';
import { device, init } from '@mien/tensor';
import { type Job, type Outcome, tryFault } from './child.ts';
import { faults } from './faults.ts';
import { type Fault, withFault } from './inject.ts';
import { type Change, cleanLosses, found, type Stage, same } from './stages.ts';
import { unseenFaults } from './unseen.ts';

interface Tried {
  readonly kind: Fault['kind'];
  readonly fault: string;
  /** Null where the training ended otherwise, which `ended` tells. */
  readonly change: Change | null;
  readonly done: readonly Stage[];
  /** How stages ended that did not end well: timed out, or with their process. */
  readonly ended: Readonly<Partial<Record<Stage, string>>>;
  /** What each check reports; null where it sees nothing. */
  readonly startCheck: string | null;
  readonly thorough: string | null;
}

interface Words {
  readonly words: readonly string[];
  readonly seed: number;
  readonly file: string | null;
  readonly startOnly: boolean;
}

/** Processes at a time. */
const atOnce = 2;

const given = JSON.parse(process.argv[2] ?? '{}') as Words | Job;
await init();
if ('stages' in given) await work(given);
else await campaign(given);

/** The process of one fault. */
async function work({ fault: name, stages, seed, clean }: Job): Promise<void> {
  const fault = name === null ? null : named([name]).find((each) => each.name === name);
  if (fault === undefined) throw new RangeError(`faults: no fault is named ${name}`);
  for (const stage of stages) {
    const outcome = await found(stage, fault, seed, clean);
    await new Promise((sent) => process.send?.({ stage, outcome }, sent));
  }
  process.exit(0);
}

/** Faults that the checks were not built for run where a word names them: `npm run faults -- unseen`. */
function named(words: readonly string[]): readonly Fault[] {
  if (words.length === 0) return faults;
  return [...faults, ...unseenFaults].filter(({ name }) => words.some((word) => name.includes(word)));
}

async function campaign({ words, seed, file, startOnly }: Words): Promise<void> {
  const adapter = `${device().facts.name}, ${device().facts.description}`;
  const clean = await withFault(null, () => cleanLosses(seed));
  device().destroy();
  const stages: readonly Stage[] = startOnly ? ['startCheck'] : ['startCheck', 'change', 'thorough'];
  process.stdout.write(`${adapter}, seed ${seed}; change of losses, start check, thorough check\n`);
  const write = (report: object): void => {
    // JSON has no infinite numbers.
    const words = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 'Infinity' : value);
    if (file) writeFileSync(file, `${JSON.stringify({ adapter, seed, ...report }, words, 2)}\n`);
  };
  const wanted = named(words);
  const results = new Map<string, Tried>();
  const inOrder = (): readonly Tried[] => wanted.flatMap(({ name }) => results.get(name) ?? []);
  const queue = wanted.values();
  const takeTurns = async (): Promise<void> => {
    for (const fault of queue) {
      const one = triedOf(fault, await tryFault(fault.name, stages, seed, clean));
      results.set(fault.name, one);
      const columns = [
        fault.name.padEnd(62),
        weightOf(one).padStart(9),
        seen(one, 'startCheck'),
        seen(one, 'thorough'),
      ];
      process.stdout.write(`${columns.join('  ')}\n`);
      write({ tried: inOrder() });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
  const tried = inOrder();
  const outcomes = await tryFault(null, stages, seed, clean);
  const without = triedOf({ name: 'none', kind: 'text', install: () => () => {} }, outcomes);
  const alarms = [without.startCheck, without.thorough, ...Object.values(without.ended)].filter(
    (each) => each !== null,
  );
  const counted = tried.filter(({ change }) => (change?.change ?? 0) > same);
  const caught = (of: 'startCheck' | 'thorough', among: readonly Tried[]): number =>
    among.filter((each) => each[of] !== null).length;
  const hung = tried.filter(({ ended }) => ended.change !== undefined);
  const among = startOnly ? tried : counted;
  process.stdout.write(
    [
      `${tried.length} faults${startOnly ? '' : `, ${counted.length} change the losses`}`,
      `of ${among.length} the start check sees ${caught('startCheck', among)}${startOnly ? '' : `, the thorough check ${caught('thorough', among)}`}`,
      `${hung.length} hang or end a training, of which the start check sees ${caught('startCheck', hung)}`,
      `without a fault they report ${alarms.join('; ') || 'nothing'}\n`,
    ].join('\n'),
  );
  write({ tried, alarms });
  const all = among.every(({ startCheck, thorough }) => startCheck !== null && (startOnly || thorough !== null));
  process.exit(all && alarms.length === 0 ? 0 : 1);
}

function triedOf({ name, kind }: Fault, outcomes: ReadonlyMap<Stage, Outcome>): Tried {
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

function weightOf({ change, ended }: Tried): string {
  if (ended.change !== undefined) return /timed/.test(ended.change) ? 'timed out' : 'ended';
  if (change === null) return '';
  return change.thrown === null ? change.change.toPrecision(2) : 'threw';
}

function seen(one: Tried, stage: 'startCheck' | 'thorough'): string {
  if (one.ended[stage] !== undefined) return /timed/.test(one.ended[stage]) ? 'timed out' : 'ended';
  if (!one.done.includes(stage)) return '';
  return one[stage] === null ? 'missed' : 'caught';
}
