// Times the ways of operations on this adapter and keeps the winners: what `mien tune` does. A way is a whole: convolutions
// are timed with the products that are fastest inside them.
import { expectFunction, expectOptions } from '../arguments.ts';
import { CaptureError, ValueError } from '../errors.ts';
import {
  type Alternative,
  canRun,
  fixedChoice,
  followed,
  hearChoices,
  type Operation,
  operationOf,
  type Trial,
  untuned,
} from './alternatives.ts';
import { currentDevice } from './defaultDevice.ts';
import type { DeviceRuntime } from './device.ts';
import type { Kernel } from './kernel.ts';
import { currentRecording } from './live.ts';
import { keep, scope } from './scope.ts';
import type { Elapsed } from './stopwatch.ts';
import { addEntry, entryKey, followKept, hashOf, knownEntry, plain, type Tuned } from './tunerStore.ts';

/** How `tune` goes about it. */
export interface TuneOptions {
  /** Called as each operation and shape is settled. The total grows when ways use operations that have ways too. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Longest time for the kernels of one way to compile; a way that takes longer is passed over, but for the fixed
   * choice. Default 10. */
  readonly secondsToCompile?: number;
}

/** What `tune` found for one operation and class of shapes. */
export interface TuneResult extends Tuned {
  /** Times that the function itself did it, apart from calls inside other results' operations. */
  readonly calls: number;
  /** Whether it was known before. */
  readonly known: boolean;
}

type Way = Alternative<unknown, unknown>;

/** An operation and a shape that it met, the first of its class. */
interface Met {
  readonly operation: string;
  readonly words: string;
  readonly shape: unknown;
  calls: number;
}

/** A way that is timed; `exact` as it is without the tuner, its products included. */
interface Candidate {
  readonly way: Way;
  readonly exact: boolean;
  /** The shortest time so far. */
  seconds: number;
}

/** A way so many times slower than the fastest is not tried further: on a part of the work, and on all of it. */
const hopeless = 4;
const slow = 1.5;
/** Seconds that a single run may seem longer: two steps of a browser's clock; on the host's clock, a late wake-up. */
const lateness = { device: 0.0002, host: 0.005 };
/** Seconds that one measurement lasts at least, so that a submit, a wait and the steps of a clock do not count. */
const enoughSeconds = 0.03;
const mostRepeats = 1024;
/** Measurements of each way, in turns; the shortest counts. */
const rounds = 4;
/** A way that is not faster by this part is no reason to leave the fixed choice. */
const margin = 0.05;

/**
 * Runs `fn`, a training step or a forward pass, notes which operations with several ways it does on which shapes, and times
 * the ways of those that are not known yet; from then on choices follow the fastest, in this program and in later ones with
 * `init({ tune: true })` or MIEN_TUNE=on. Winners are kept for the adapter in the user's cache folder, or in IndexedDB.
 * What `fn` does is really done. A captured function is seen in the calls that record it only, and goes on with the ways it
 * was recorded with. Use the device for nothing else meanwhile.
 */
export async function tune(fn: () => unknown, options: TuneOptions = {}): Promise<TuneResult[]> {
  if (currentRecording())
    throw new CaptureError('tune: it reads times on the host; call it outside of captured functions');
  expectFunction('tune', fn);
  expectOptions('tune', options, ['onProgress', 'secondsToCompile']);
  const { secondsToCompile = 10, onProgress = () => {} } = options;
  expectFunction('tune', onProgress);
  if (!(secondsToCompile >= 0))
    throw new ValueError(`tune: secondsToCompile is ${secondsToCompile}, expected seconds from 0 on`);
  const on = currentDevice();
  await followKept(on.facts);
  return new Tuner(on, secondsToCompile, onProgress).tune(fn);
}

/** Whether choices follow what the tuner found. */
export function tuning(): boolean {
  return followed() !== null;
}

class Tuner {
  readonly #device: DeviceRuntime;
  readonly #onProgress: (done: number, total: number) => void;
  readonly #secondsToCompile: number;
  readonly #met = new Map<string, Met>();
  readonly #fresh = new Set<string>();
  readonly #settled = new Set<string>();
  /** The clock that told the times of this device last. */
  #clock: Elapsed['clock'] = 'host';

  constructor(on: DeviceRuntime, secondsToCompile: number, onProgress: NonNullable<TuneOptions['onProgress']>) {
    this.#device = on;
    this.#onProgress = onProgress;
    this.#secondsToCompile = secondsToCompile;
  }

  async tune(fn: () => unknown): Promise<TuneResult[]> {
    await hearChoices((operation, shape) => this.#note(operation, shape, 1), fn);
    await this.#device.synchronize();
    for (const met of [...this.#met.values()]) this.#leaveOutInner(met);
    for (const met of [...this.#met.values()]) await this.#settle(met);
    return [...this.#met.values()].flatMap(({ operation, words, calls }) => {
      const entry = knownEntry(operation, words);
      return entry ? [{ ...plain(entry), calls, known: !this.#fresh.has(entryKey(operation, words)) }] : [];
    });
  }

  #note(operation: string, shape: unknown, calls: number): Met {
    const words = declarationOf(operation).trials.words(shape);
    const key = entryKey(operation, words);
    const met = this.#met.get(key) ?? { operation, words, shape, calls: 0 };
    met.calls += calls;
    this.#met.set(key, met);
    return met;
  }

  /** Takes the calls that `met` makes inside off those of the function. */
  #leaveOutInner({ operation, shape, calls }: Met): void {
    if (calls <= 0) return;
    const { list, trials } = declarationOf(operation);
    const chosen = this.#chosen(operation, trials.words(shape), list, shape);
    this.#withTrial(operation, shape, (trial) => {
      const inner: [string, unknown][] = [];
      hearChoices(
        (name, of) => inner.push([name, of]),
        () => this.#rehearse(trial, chosen),
      );
      for (const [name, of] of inner) this.#note(name, of, -calls);
    });
  }

  #chosen(operation: string, words: string, list: readonly Way[], shape: unknown): Way {
    const known = knownEntry(operation, words)?.way;
    const way = list.find((each) => each.name === known && canRun(each, shape, this.#device.limits));
    return way ?? fixedChoice(list, shape, this.#device.limits);
  }

  /** Makes sure that the winner of `met` is known, and before it those of all that its ways do inside. */
  async #settle(met: Met): Promise<void> {
    const { operation, words, shape } = met;
    const key = entryKey(operation, words);
    if (this.#settled.has(key)) return;
    this.#settled.add(key);
    const { list } = declarationOf(operation);
    const ways = list.filter((each) => canRun(each, shape, this.#device.limits));
    if (!knownEntry(operation, words) && ways.length > 1) {
      for (const inner of this.#innerOf(operation, shape, ways)) await this.#settle(inner);
      await this.#time(met, ways);
      this.#fresh.add(key);
    }
    this.#onProgress(this.#settled.size, this.#met.size);
  }

  /** Operations that the ways do inside. */
  #innerOf(operation: string, shape: unknown, ways: readonly Way[]): readonly Met[] {
    const inner = new Set<Met>();
    this.#withTrial(operation, shape, (trial) => {
      for (const way of ways) {
        hearChoices(
          (name, of) => inner.add(this.#note(name, of, 0)),
          () => this.#rehearse(trial, way),
        );
      }
    });
    return [...inner];
  }

  /** Times `ways` on the shape, and keeps what came out. */
  async #time(met: Met, ways: readonly Way[]): Promise<void> {
    const { operation, words, shape } = met;
    const { list, trials } = declarationOf(operation);
    const { limits } = this.#device;
    const fixed = fixedChoice(list, shape, limits);
    const trial = trialOf(operation, shape);
    try {
      const used = new Set<Kernel>();
      let candidates: Candidate[] = [];
      for (const way of ways) {
        const compiled = this.#rehearse(trial, way);
        for (const kernel of compiled) used.add(kernel);
        if (await this.#compiles(compiled, way === fixed)) candidates.push({ way, exact: false, seconds: Infinity });
      }
      const sample = trials.sample?.(shape);
      if (sample !== undefined && candidates.length > 1) {
        const promising = await this.#promising(operation, sample, candidates);
        candidates = candidates.filter((candidate) => candidate.way === fixed || promising.has(candidate));
      }
      const [exact, tuned] = [untuned(() => this.#rehearse(trial, fixed)), this.#rehearse(trial, fixed)];
      // Where the fixed choice does other things without the tuner, it is timed as it is then too.
      if (exact.some((kernel) => !tuned.includes(kernel)) && (await this.#compiles(exact, true))) {
        candidates.push({ way: fixed, exact: true, seconds: Infinity });
      }
      await this.#measure(trial, candidates, fixed);
      const secondsOf = (name: string, plainly = false): number | null =>
        candidates.find(({ way, exact }) => way.name === name && exact === plainly)?.seconds ?? null;
      const best = fastest(candidates.filter(({ exact }) => !exact));
      const ofFixed = secondsOf(fixed.name) ?? Infinity;
      const [way, seconds] =
        ofFixed <= (1 + margin) * best.seconds ? [fixed.name, ofFixed] : [best.way.name, best.seconds];
      const kernels = [...used].map(({ label }) => label).sort();
      await addEntry({
        operation,
        shape: words,
        way,
        seconds,
        fixed: fixed.name,
        fixedSeconds: secondsOf(fixed.name, true) ?? ofFixed,
        ways: Object.fromEntries(list.map(({ name }) => [name, secondsOf(name)])),
        kernels,
        hash: hashOf(kernels) as string,
      });
    } finally {
      dispose(trial);
    }
  }

  /** Whether `kernels` compile, and in time. Those of the fixed choice have to be waited for without the tuner too. */
  async #compiles(kernels: readonly Kernel[], fixed: boolean): Promise<boolean> {
    if (fixed) await this.#device.compile(kernels);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), 1000 * this.#secondsToCompile);
    });
    const done = this.#device.compile(kernels).then(
      () => true,
      () => false,
    );
    const inTime = await Promise.race([done, late]);
    clearTimeout(timer);
    return inTime;
  }

  /** The candidates that are not hopeless on a part of the work. */
  async #promising(
    operation: string,
    sample: unknown,
    candidates: readonly Candidate[],
  ): Promise<ReadonlySet<Candidate>> {
    const trial = trialOf(operation, sample);
    try {
      const fitting = candidates.filter(({ way }) => canRun(way, sample, this.#device.limits));
      const seconds = new Map<Candidate, number>();
      for (const candidate of fitting) {
        await this.#seconds(trial, candidate, 1);
        seconds.set(candidate, await this.#seconds(trial, candidate, 1));
      }
      const least = Math.min(...seconds.values());
      return new Set(
        candidates.filter((candidate) => (seconds.get(candidate) ?? 0) <= hopeless * least + lateness[this.#clock]),
      );
    } finally {
      dispose(trial);
    }
  }

  /**
   * Times candidates in turns. Those that are far behind after two runs have no more, but for the fixed choice; where it
   * seems to lose, it and the fastest run as often again, so that a moment of other work on the machine decides nothing.
   */
  async #measure(trial: Trial<unknown>, candidates: readonly Candidate[], fixed: Way): Promise<void> {
    const turn = async (of: readonly Candidate[], repeatsOf: (candidate: Candidate) => number): Promise<void> => {
      for (const candidate of of) {
        const seconds = await this.#seconds(trial, candidate, repeatsOf(candidate));
        candidate.seconds = Math.min(candidate.seconds, seconds);
      }
    };
    for (const candidate of candidates) await this.#seconds(trial, candidate, 1);
    for (let run = 0; run < 2; run++) await turn(candidates, () => 1);
    const least = fastest(candidates).seconds;
    const enough = ({ seconds }: Candidate): number => Math.min(mostRepeats, Math.ceil(enoughSeconds / seconds));
    const remaining = candidates.filter(
      ({ way, seconds }) => way === fixed || seconds <= slow * least + lateness[this.#clock],
    );
    for (let round = 0; round < rounds; round++) await turn(remaining, enough);
    const first = fastest(candidates);
    if (first.way === fixed) return;
    const finalists = candidates.filter((candidate) => candidate === first || candidate.way === fixed);
    for (let round = 0; round < rounds; round++) await turn(finalists, enough);
  }

  /** Seconds of one run, of `repeats` that are submitted together: the device's, not those of the host that encodes them. */
  async #seconds(trial: Trial<unknown>, { way, exact }: Candidate, repeats: number): Promise<number> {
    const once = (): void => scope(() => trial.run(way.run));
    const { seconds, clock } = await this.#device.elapsed(() => {
      for (let i = 0; i < repeats; i++) {
        if (exact) untuned(once);
        else once();
      }
    });
    this.#clock = clock;
    return seconds / repeats;
  }

  #rehearse(trial: Trial<unknown>, way: Way): readonly Kernel[] {
    return this.#device.rehearse(() => scope(() => trial.run(way.run)));
  }

  #withTrial(operation: string, shape: unknown, use: (trial: Trial<unknown>) => void): void {
    scope(() => {
      // Nothing runs on these operands, so that nothing needs to be in them.
      let trial: Trial<unknown> | null = null;
      this.#device.rehearse(() => {
        trial = declarationOf(operation).trials.prepare(shape);
      });
      use(trial as unknown as Trial<unknown>);
    });
  }
}

function fastest(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}

function declarationOf(operation: string): Operation<unknown, unknown> {
  return operationOf(operation) as Operation<unknown, unknown>;
}

/** A trial whose operands are the caller's until `dispose`. */
function trialOf(operation: string, shape: unknown): Trial<unknown> {
  const trial = scope(() => declarationOf(operation).trials.prepare(shape));
  for (const operand of trial.operands) keep(operand);
  return trial;
}

function dispose({ operands }: Trial<unknown>): void {
  for (const operand of operands) operand.dispose();
}
