// npm run faults: every fault on this adapter: whether it changes a training, and which checks see it.
import { writeFileSync } from 'node:fs';
import { checkThoroughly } from '@mien/fer/node';
import { device, init } from '@mien/tensor';
import { openDevice } from '@mien/tensor/testing';
import { faults } from './faults.ts';
import { type Fault, withFault } from './inject.ts';
import { change, losses, type Setting, settings } from './losses.ts';
import { unseenFaults } from './unseen.ts';

/** Losses that differ by less are those of the same training. */
const same = 1e-6;

interface Tried {
  readonly kind: Fault['kind'];
  readonly fault: string;
  /** The largest relative change of a loss in twenty steps, and in which setting; an error that was thrown instead. */
  readonly change: number;
  readonly setting: Setting;
  readonly thrown: string | null;
  /** What each check reports; null where it sees nothing. */
  readonly startCheck: string | null;
  readonly thorough: string | null;
}

const [words, seed, file] = JSON.parse(process.argv[2] ?? '[[], 1, null]') as [string[], number, string | null];
const adapter = (await init()).facts.name;
const clean = new Map<Setting, readonly number[]>();
for (const setting of settings) clean.set(setting, await losses(setting, seed));

/** A device on which nothing was compiled yet. */
async function freshDevice(): Promise<void> {
  device().destroy();
  await new Promise((turn) => setTimeout(turn, 30));
  await init({ adapter });
}

async function changeOf(fault: Fault | null): Promise<Pick<Tried, 'change' | 'setting' | 'thrown'>> {
  let last: Pick<Tried, 'change' | 'setting' | 'thrown'> = { change: 0, setting: settings[0], thrown: null };
  for (const setting of settings) {
    await freshDevice();
    try {
      const found = await withFault(fault, () => losses(setting, seed));
      last = { change: change(clean.get(setting) ?? [], found), setting, thrown: null };
    } catch (reason) {
      last = { change: 0, setting, thrown: String(reason) };
    }
    if (last.change > same) return last;
  }
  return last;
}

async function startCheckOf(fault: Fault | null): Promise<string | null> {
  try {
    const { gpu } = await withFault(fault, () => openDevice({ adapter }));
    gpu.destroy();
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  }
}

async function thoroughOf(fault: Fault | null): Promise<string | null> {
  await freshDevice();
  try {
    const { operations } = await withFault(fault, () => checkThoroughly({ untilWrong: true }));
    const wrong = operations.find(({ verdict }) => verdict === 'wrong');
    return wrong ? `${wrong.operation}: ${wrong.problem}` : null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  }
}

const tried: Tried[] = [];
const shown = (text: string | null): string => (text === null ? 'missed' : 'caught');
/** Faults that the checks were not built for run where a word names them: `npm run faults -- unseen`. */
const wanted =
  words.length === 0
    ? faults
    : [...faults, ...unseenFaults].filter(({ name }) => words.some((word) => name.includes(word)));
process.stdout.write(`${adapter}, seed ${seed}; change of losses, start check, thorough check\n`);
for (const fault of wanted) {
  const found = {
    ...{ kind: fault.kind, fault: fault.name },
    ...(await changeOf(fault)),
    ...{ startCheck: await startCheckOf(fault), thorough: await thoroughOf(fault) },
  };
  tried.push(found);
  const weight = found.thrown === null ? found.change.toPrecision(2) : 'threw';
  const columns = [fault.name.padEnd(60), weight.padStart(8), shown(found.startCheck), shown(found.thorough)];
  process.stdout.write(`${columns.join('  ')}\n`);
}
const counted = tried.filter(({ change }) => change > same);
const alarms = [await startCheckOf(null), await thoroughOf(null)];
const rate = (of: 'startCheck' | 'thorough'): string =>
  `${counted.filter((each) => each[of] !== null).length} of ${counted.length}`;
process.stdout.write(
  `${tried.length} faults, ${counted.length} change the losses: the start check sees ${rate('startCheck')}, the thorough check ${rate('thorough')}; without a fault they report ${alarms[0] ?? 'nothing'} and ${alarms[1] ?? 'nothing'}\n`,
);
if (file) writeFileSync(file, `${JSON.stringify({ adapter, seed, tried, alarms }, null, 2)}\n`);
const all = counted.every(({ startCheck, thorough }) => startCheck !== null && thorough !== null);
process.exit(all && alarms.every((alarm) => alarm === null) ? 0 : 1);
