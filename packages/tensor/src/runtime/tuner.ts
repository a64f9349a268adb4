// Times the algorithms of operations on this adapter and stores the winners, for `mien tune`. A convolution is timed with the
// products that are fastest inside it.
import { expectFunction, expectOptions } from '../arguments.ts';
import { CaptureError, ValueError } from '../errors.ts';
import {
  type Algorithm,
  canRun,
  currentWinners,
  defaultAlgorithm,
  type Operation,
  observeChoices,
  operationOf,
  type TuningCase,
  untuned,
} from './algorithms.ts';
import { currentDevice } from './defaultDevice.ts';
import type { DeviceRuntime } from './device.ts';
import type { Kernel } from './kernel.ts';
import { currentRecording } from './live.ts';
import { keep, scope } from './scope.ts';
import type { Elapsed } from './stopwatch.ts';
import { addEntry, entryKey, hashOf, knownEntry, loadWinners, plain, type Tuned } from './tunerStore.ts';

/** Options of `tune`. */
export interface TuneOptions {
  /** Called after each operation and shape. The total grows when algorithms use operations that have several algorithms too. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Seconds that the kernels of one algorithm may take to compile. One that takes longer is skipped, except the default
   * algorithm. Default 10. */
  readonly secondsToCompile?: number;
}

/** The result of `tune` for one operation and class of shapes. */
export interface TuneResult extends Tuned {
  /** Calls by the function itself, without those inside the operations of other results. */
  readonly calls: number;
  /** Whether the result was stored before. */
  readonly known: boolean;
}

type AnyAlgorithm = Algorithm<unknown, unknown>;

/** An operation with the first shape of a class that it was called with. */
interface Task {
  readonly operation: string;
  readonly cacheKey: string;
  readonly shape: unknown;
  calls: number;
}

/** An algorithm that is timed; with `exact`, the products inside it are those that run without the tuner. */
interface Candidate {
  readonly algorithm: AnyAlgorithm;
  readonly exact: boolean;
  /** The shortest time so far. */
  seconds: number;
}

/** Algorithms that are slower than the fastest by more than this factor are dropped: on the sample, and on the full shape. */
const sampleCutoff = 4;
const fullCutoff = 1.5;
/** Seconds by which one measurement may be too long: two steps of a browser's clock, or a late wake-up on the host's clock. */
const clockError = { device: 0.0002, host: 0.005 };
/** Seconds that one measurement lasts at least, so that the cost of a submit, a wait and the clock's resolution is negligible. */
const enoughSeconds = 0.03;
const mostRepeats = 1024;
/** Measurements of each algorithm, interleaved; the shortest counts. */
const rounds = 4;
/** The default algorithm is replaced only by one that is faster by more than this fraction. */
const margin = 0.05;

/**
 * Runs `fn`, a training step or a forward pass, once, and times the algorithms of each operation and shape that it uses and
 * that has no stored result yet. Operations then use the fastest: in this program, and in later ones with `init({ tune: true })`
 * or MIEN_TUNE=on. Results are stored for the adapter in the user's cache folder, or in IndexedDB. A captured function is
 * tuned in the calls that record it only, and keeps the algorithms that it was recorded with. Use the device for nothing else
 * meanwhile.
 */
export async function tune(fn: () => unknown, options: TuneOptions = {}): Promise<TuneResult[]> {
  if (currentRecording())
    throw new CaptureError('tune: it reads times on the host; call it outside of captured functions');
  expectFunction('tune', fn);
  expectOptions('tune', options, ['onProgress', 'secondsToCompile']);
  const { secondsToCompile = 10, onProgress = () => {} } = options;
  expectFunction('tune', onProgress);
  if (!(secondsToCompile >= 0))
    throw new ValueError(`tune: secondsToCompile must be a number of at least 0, got ${secondsToCompile}`);
  const on = currentDevice();
  await loadWinners(on.facts);
  return new Tuner(on, secondsToCompile, onProgress).tune(fn);
}

/** Whether operations use the algorithms that the tuner measured as fastest. */
export function tuning(): boolean {
  return currentWinners() !== null;
}

class Tuner {
  readonly #device: DeviceRuntime;
  readonly #onProgress: (done: number, total: number) => void;
  readonly #secondsToCompile: number;
  readonly #tasks = new Map<string, Task>();
  readonly #measured = new Set<string>();
  readonly #done = new Set<string>();
  /** The clock of the last measurement. */
  #clock: Elapsed['clock'] = 'host';

  constructor(on: DeviceRuntime, secondsToCompile: number, onProgress: NonNullable<TuneOptions['onProgress']>) {
    this.#device = on;
    this.#onProgress = onProgress;
    this.#secondsToCompile = secondsToCompile;
  }

  async tune(fn: () => unknown): Promise<TuneResult[]> {
    await observeChoices((operation, shape) => this.#note(operation, shape, 1), fn);
    await this.#device.synchronize();
    for (const task of [...this.#tasks.values()]) this.#subtractInner(task);
    for (const task of [...this.#tasks.values()]) await this.#settle(task);
    return [...this.#tasks.values()].flatMap(({ operation, cacheKey, calls }) => {
      const entry = knownEntry(operation, cacheKey);
      return entry ? [{ ...plain(entry), calls, known: !this.#measured.has(entryKey(operation, cacheKey)) }] : [];
    });
  }

  #note(operation: string, shape: unknown, calls: number): Task {
    const cacheKey = declarationOf(operation).tuning.cacheKey(shape);
    const key = entryKey(operation, cacheKey);
    const task = this.#tasks.get(key) ?? { operation, cacheKey, shape, calls: 0 };
    task.calls += calls;
    this.#tasks.set(key, task);
    return task;
  }

  /** Subtracts the calls that `task` makes inside from those of the function. */
  #subtractInner({ operation, shape, calls }: Task): void {
    if (calls <= 0) return;
    const { list, tuning } = declarationOf(operation);
    const chosen = this.#chosen(operation, tuning.cacheKey(shape), list, shape);
    this.#withTuningCase(operation, shape, (tuningCase) => {
      const inner: [string, unknown][] = [];
      observeChoices(
        (name, of) => inner.push([name, of]),
        () => this.#rehearse(tuningCase, chosen),
      );
      for (const [name, of] of inner) this.#note(name, of, -calls);
    });
  }

  #chosen(operation: string, cacheKey: string, list: readonly AnyAlgorithm[], shape: unknown): AnyAlgorithm {
    const known = knownEntry(operation, cacheKey)?.algorithm;
    const algorithm = list.find((each) => each.name === known && canRun(each, shape, this.#device.limits));
    return algorithm ?? defaultAlgorithm(list, shape, this.#device.limits);
  }

  /** Measures `task` unless its winner is known, after the operations inside its algorithms. */
  async #settle(task: Task): Promise<void> {
    const { operation, cacheKey, shape } = task;
    const key = entryKey(operation, cacheKey);
    if (this.#done.has(key)) return;
    this.#done.add(key);
    const { list } = declarationOf(operation);
    const algorithms = list.filter((each) => canRun(each, shape, this.#device.limits));
    if (!knownEntry(operation, cacheKey) && algorithms.length > 1) {
      for (const inner of this.#innerOf(operation, shape, algorithms)) await this.#settle(inner);
      await this.#time(task, algorithms);
      this.#measured.add(key);
    }
    this.#onProgress(this.#done.size, this.#tasks.size);
  }

  /** The operations inside the algorithms. */
  #innerOf(operation: string, shape: unknown, algorithms: readonly AnyAlgorithm[]): readonly Task[] {
    const inner = new Set<Task>();
    this.#withTuningCase(operation, shape, (tuningCase) => {
      for (const algorithm of algorithms) {
        observeChoices(
          (name, of) => inner.add(this.#note(name, of, 0)),
          () => this.#rehearse(tuningCase, algorithm),
        );
      }
    });
    return [...inner];
  }

  /** Times `algorithms` on the shape and stores the result. */
  async #time(task: Task, algorithms: readonly AnyAlgorithm[]): Promise<void> {
    const { operation, cacheKey, shape } = task;
    const { list, tuning } = declarationOf(operation);
    const { limits } = this.#device;
    const fixed = defaultAlgorithm(list, shape, limits);
    const tuningCase = tuningCaseOf(operation, shape);
    try {
      const used = new Set<Kernel>();
      let candidates: Candidate[] = [];
      for (const algorithm of algorithms) {
        const compiled = this.#rehearse(tuningCase, algorithm);
        for (const kernel of compiled) used.add(kernel);
        if (await this.#compiles(compiled, algorithm === fixed))
          candidates.push({ algorithm, exact: false, seconds: Infinity });
      }
      const sample = tuning.sample?.(shape);
      if (sample !== undefined && candidates.length > 1) {
        const promising = await this.#promising(operation, sample, candidates);
        candidates = candidates.filter((candidate) => candidate.algorithm === fixed || promising.has(candidate));
      }
      const [exact, tuned] = [untuned(() => this.#rehearse(tuningCase, fixed)), this.#rehearse(tuningCase, fixed)];
      // The default algorithm may use other products without the tuner; then it is timed both with and without the tuned ones.
      if (exact.some((kernel) => !tuned.includes(kernel)) && (await this.#compiles(exact, true))) {
        candidates.push({ algorithm: fixed, exact: true, seconds: Infinity });
      }
      await this.#measure(tuningCase, candidates, fixed);
      const secondsOf = (name: string, plainly = false): number | null =>
        candidates.find(({ algorithm, exact }) => algorithm.name === name && exact === plainly)?.seconds ?? null;
      const best = fastest(candidates.filter(({ exact }) => !exact));
      const ofFixed = secondsOf(fixed.name) ?? Infinity;
      const [algorithm, seconds] =
        ofFixed <= (1 + margin) * best.seconds ? [fixed.name, ofFixed] : [best.algorithm.name, best.seconds];
      const kernels = [...used].map(({ label }) => label).sort();
      await addEntry({
        operation,
        shape: cacheKey,
        algorithm,
        seconds,
        fixed: fixed.name,
        fixedSeconds: secondsOf(fixed.name, true) ?? ofFixed,
        algorithms: Object.fromEntries(list.map(({ name }) => [name, secondsOf(name)])),
        kernels,
        hash: hashOf(kernels) as string,
      });
    } finally {
      dispose(tuningCase);
    }
  }

  /** Whether `kernels` compile in time. Those of the default algorithm are always waited for, as without the tuner. */
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

  /** The candidates that are not far slower than the fastest on the sample. */
  async #promising(
    operation: string,
    sample: unknown,
    candidates: readonly Candidate[],
  ): Promise<ReadonlySet<Candidate>> {
    const tuningCase = tuningCaseOf(operation, sample);
    try {
      const fitting = candidates.filter(({ algorithm }) => canRun(algorithm, sample, this.#device.limits));
      const seconds = new Map<Candidate, number>();
      for (const candidate of fitting) {
        await this.#seconds(tuningCase, candidate, 1);
        seconds.set(candidate, await this.#seconds(tuningCase, candidate, 1));
      }
      const least = Math.min(...seconds.values());
      return new Set(
        candidates.filter(
          (candidate) => (seconds.get(candidate) ?? 0) <= sampleCutoff * least + clockError[this.#clock],
        ),
      );
    } finally {
      dispose(tuningCase);
    }
  }

  /**
   * Times candidates in turns. Those that are far behind after two runs are dropped, except the default. If the default
   * loses, it and the fastest are measured as often again, so that a moment of other load on the machine decides nothing.
   */
  async #measure(
    tuningCase: TuningCase<unknown>,
    candidates: readonly Candidate[],
    fixed: AnyAlgorithm,
  ): Promise<void> {
    const turn = async (of: readonly Candidate[], repeatsOf: (candidate: Candidate) => number): Promise<void> => {
      for (const candidate of of) {
        const seconds = await this.#seconds(tuningCase, candidate, repeatsOf(candidate));
        candidate.seconds = Math.min(candidate.seconds, seconds);
      }
    };
    for (const candidate of candidates) await this.#seconds(tuningCase, candidate, 1);
    for (let run = 0; run < 2; run++) await turn(candidates, () => 1);
    const least = fastest(candidates).seconds;
    const enough = ({ seconds }: Candidate): number => Math.min(mostRepeats, Math.ceil(enoughSeconds / seconds));
    const remaining = candidates.filter(
      ({ algorithm, seconds }) => algorithm === fixed || seconds <= fullCutoff * least + clockError[this.#clock],
    );
    for (let round = 0; round < rounds; round++) await turn(remaining, enough);
    const first = fastest(candidates);
    if (first.algorithm === fixed) return;
    const finalists = candidates.filter((candidate) => candidate === first || candidate.algorithm === fixed);
    for (let round = 0; round < rounds; round++) await turn(finalists, enough);
  }

  /** Seconds of one of `repeats` runs that are submitted together, on the device, without the host's time to encode them. */
  async #seconds(tuningCase: TuningCase<unknown>, { algorithm, exact }: Candidate, repeats: number): Promise<number> {
    const once = (): void => scope(() => tuningCase.run(algorithm.run));
    const { seconds, clock } = await this.#device.elapsed(() => {
      for (let i = 0; i < repeats; i++) {
        if (exact) untuned(once);
        else once();
      }
    });
    this.#clock = clock;
    return seconds / repeats;
  }

  #rehearse(tuningCase: TuningCase<unknown>, algorithm: AnyAlgorithm): readonly Kernel[] {
    return this.#device.rehearse(() => scope(() => tuningCase.run(algorithm.run)));
  }

  #withTuningCase(operation: string, shape: unknown, use: (tuningCase: TuningCase<unknown>) => void): void {
    scope(() => {
      // Nothing runs on these operands, so they need no values.
      let tuningCase: TuningCase<unknown> | null = null;
      this.#device.rehearse(() => {
        tuningCase = declarationOf(operation).tuning.prepare(shape);
      });
      use(tuningCase as unknown as TuningCase<unknown>);
    });
  }
}

function fastest(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}

function declarationOf(operation: string): Operation<unknown, unknown> {
  return operationOf(operation) as Operation<unknown, unknown>;
}

/** A tuning case whose operands the caller owns until `dispose`. */
function tuningCaseOf(operation: string, shape: unknown): TuningCase<unknown> {
  const tuningCase = scope(() => declarationOf(operation).tuning.prepare(shape));
  for (const operand of tuningCase.operands) keep(operand);
  return tuningCase;
}

function dispose({ operands }: TuningCase<unknown>): void {
  for (const operand of operands) operand.dispose();
}
