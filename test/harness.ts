// Cases and laws, recorded. uvu runs them; what counts are the records, because uvu alone can end green without having run.
import { init } from '@mien/tensor';
import { type LawCases, type LawOptions, type LawReport, law as stateLaw } from '@mien/tensor/testing';
import type { Arbitrary } from 'fast-check';
import { suite } from 'uvu';
import { type Belief, beliefsOf, believing, runsUnderBelief } from './beliefs.ts';
import { callCounts } from './calls.ts';
import { claimOf } from './titles.ts';

/** What became of one case. */
export interface CaseRecord {
  readonly file: string;
  readonly name: string;
  state: 'registered' | 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  reason?: string;
  milliseconds?: number;
  /** A law's largest error over its tolerance. */
  worst?: number;
  /** What a law of one algorithm really ran. */
  ran?: Ran;
}

/** The shapes that one algorithm of an operation really ran: its kernels were dispatched. */
export interface Ran {
  readonly operation: string;
  readonly algorithm: string;
  readonly shapes: readonly string[];
  /** Set by the harness, as is what was believed of it. */
  readonly adapter?: string;
  readonly belief?: string;
}

/** How a case is run. */
export interface CaseOptions {
  /** Longest time, 120 by default. */
  readonly seconds?: number;
  /** A reason not to run it here, or what gives one when the case is due. */
  readonly skip?: string | undefined | (() => string | undefined | Promise<string | undefined>);
}

/** How a law is run, and what it reports. */
export interface LawCaseOptions<C> extends CaseOptions, LawCases<C> {
  /** Called after a run without a failure: what the law really ran. Throws where that is not enough. */
  readonly after?: (report: LawReport, run: LawOptions) => Ran;
}

/** What to run and how. */
export interface RunOptions extends LawOptions {
  /** Words of which a file's path or a case's name contains one; all cases when empty. */
  readonly words?: readonly string[];
  readonly adapter?: string;
}

/** A test file and the import that registers its cases. */
export type TestFile = readonly [path: string, load: () => Promise<unknown>];

/** Registers cases and runs them, file by file. */
export interface Recorder {
  readonly test: (name: string, fn: () => unknown, options?: CaseOptions) => void;
  readonly law: <C>(
    name: string,
    cases: Arbitrary<C>,
    property: (example: C) => void | Promise<void>,
    options?: LawCaseOptions<C>,
  ) => void;
  readonly skip: (name: string, reason: string) => void;
  readonly runFiles: (files: readonly TestFile[], options?: RunOptions, onFile?: OnFile) => Promise<CaseRecord[]>;
  /** Loads the files, each once in a process, and gives their cases to run one by one. */
  readonly loadCases: (files: readonly TestFile[]) => Promise<Case[]>;
}

/** Called after each file with its records. */
export type OnFile = (file: string, records: readonly CaseRecord[]) => void;

/** A registered case, to be run any number of times; `run` rejects where it fails. */
export interface Case {
  readonly record: CaseRecord;
  readonly seconds: number;
  readonly skip: CaseOptions['skip'];
  readonly run: (options: LawOptions) => Promise<Pick<CaseRecord, 'worst' | 'ran'>>;
}

/** A recorder of its own; the test files share the one below. */
export function recorder(): Recorder {
  let file: string | null = null;
  let cases: Case[] = [];
  const add = (name: string, { seconds = 120, skip }: CaseOptions, run: Case['run']): void => {
    if (file === null) throw new TypeError(`${name}: registered while no file is being loaded`);
    cases.push({ record: { file, name, state: 'registered' }, seconds, skip, run });
  };
  return {
    test: (name, fn, options = {}) =>
      add(name, options, async () => {
        await fn();
        return {};
      }),
    law: (name, arbitrary, property, options = {}) => {
      const { after, ...rest } = options;
      const stated = stateLaw(name, arbitrary, property, rest);
      add(name, options, async (run) => {
        const report = await stated(run);
        return { worst: report.worst, ...(after ? { ran: after(report, run) } : {}) };
      });
    },
    skip: (name, reason) => add(name, { skip: reason }, async () => ({})),
    runFiles: async (files, options = {}, onFile = () => {}) => {
      const records: CaseRecord[] = [];
      for (const [path, load] of files) {
        file = path;
        cases = [];
        const found = await runFile(path, load, () => cases, options);
        records.push(...found);
        if (found.length > 0) onFile(path, found);
        file = null;
      }
      return records;
    },
    loadCases: async (files) => {
      const found: Case[] = [];
      for (const [path, load] of files) {
        file = path;
        cases = [];
        await load();
        found.push(...cases, ...casesUnderBelief(path, cases));
      }
      file = null;
      return found;
    },
  };
}

async function runFile(
  path: string,
  load: () => Promise<unknown>,
  registered: () => readonly Case[],
  options: RunOptions,
): Promise<CaseRecord[]> {
  const broken = (name: string, reason: string): CaseRecord => ({ file: path, name, state: 'failed', reason });
  try {
    await load();
  } catch (reason) {
    return [broken(`${path} loads`, explain(reason))];
  }
  if (registered().length === 0)
    return [broken(`${path} registers cases`, 'it registered none: use `test` or `law` of test/harness.ts')];
  const words = options.words ?? [];
  const wanted = [...registered(), ...casesUnderBelief(path, registered())].filter(
    ({ record }) =>
      words.length === 0 || words.some((word) => `${path} ${record.name}`.toLowerCase().includes(word.toLowerCase())),
  );
  const cases = suite(path);
  for (const each of wanted) cases(each.record.name, () => runCase(each, options));
  const failure = await runSuite(cases);
  const records = wanted.map(({ record }) => record);
  for (const record of records) {
    if (record.state === 'registered')
      Object.assign(record, { state: 'failed', reason: `it never ran${failure ? `: ${failure}` : ''}` });
  }
  return records;
}

/** The cases of a file once more, for each belief that it is run under. */
function casesUnderBelief(path: string, cases: readonly Case[]): readonly Case[] {
  return beliefsOf(path).flatMap((belief) => cases.map((each) => underBelief(each, belief)));
}

/** A case once more, with limits that are believed of the adapter. */
function underBelief({ record, seconds, skip, run }: Case, belief: Belief): Case {
  return {
    record: { ...record, name: `${record.name}, believing in ${belief.name}` },
    seconds,
    skip: typeof skip === 'function' ? () => believing(belief, skip) : skip,
    run: async (options) => {
      const found = await believing(belief, () => run({ runs: runsUnderBelief, ...options }));
      return found.ran ? { ...found, ran: { ...found.ran, belief: belief.name } } : found;
    },
  };
}

/** Runs one uvu suite now. Its runner is taken from uvu's queue, which `UVU_DEFER` (set by scripts/) leaves to us. */
async function runSuite(cases: { run: () => void }): Promise<string | null> {
  const uvu = globalThis as { UVU_QUEUE?: (() => Promise<unknown>)[][]; UVU_INDEX?: number };
  const queue: (() => Promise<unknown>)[] = [];
  uvu.UVU_QUEUE = [queue];
  uvu.UVU_INDEX = 0;
  cases.run();
  try {
    for (const run of queue) await run();
    return null;
  } catch (reason) {
    return explain(reason);
  }
}

async function runCase({ record, seconds, skip, run }: Case, options: RunOptions): Promise<void> {
  const reason = typeof skip === 'function' ? await skip() : skip;
  if (reason !== undefined) {
    Object.assign(record, { state: 'skipped', reason });
    return;
  }
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError(`it took longer than ${seconds} s`)), seconds * 1000);
  });
  try {
    const before = callCounts();
    const found = await Promise.race([run(options), late]);
    expectCalls(record.name, before);
    Object.assign(record, { state: 'passed' }, found, found.ran ? { ran: { ...found.ran, adapter: adapterName } } : {});
  } catch (reason) {
    const repeat = explain(reason).replace('repeat it with ', `repeat it with npm test -- "${record.name}" `);
    Object.assign(record, { state: 'failed', reason: repeat });
    throw reason;
  } finally {
    clearTimeout(timer);
    record.milliseconds = Math.round(performance.now() - start);
  }
}

/** Throws unless the case called each public function that its title names, and the check of gradients that it claims. */
function expectCalls(title: string, before: ReadonlyMap<string, number>): void {
  const now = callCounts();
  const calls = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (now.get(name) ?? 0) - (before.get(name) ?? 0), 0);
  const claim = claimOf(title);
  for (const name of claim.names.filter((each) => now.has(each))) {
    if (calls(name) === 0)
      throw new TypeError(`the title names ${name}, which the case did not call; name what it is about`);
  }
  const isPublic = claim.names.some((name) => now.has(name));
  if (isPublic && claim.second && calls('gradgradcheck') === 0 && calls('grad', 'backward') < 2)
    throw new TypeError('the title claims a second derivative, and none was computed; use gradgradcheck');
  if (isPublic && claim.gradient && calls('gradcheck', 'grad', 'backward') === 0)
    throw new TypeError('the title claims a gradient, and none was computed; use gradcheck');
}

function explain(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  const { name, message, stack = '' } = reason;
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node_modules|node:internal|<anonymous>/.test(line));
  return [`${name}: ${message}`, ...frames.slice(0, 6)].join('\n');
}

const shared = recorder();
/** The default device's adapter, once there is one. */
let adapterName = '';

/** Registers a case; its name is a sentence that starts with the function. */
export const test: Recorder['test'] = shared.test;
/** States and registers a law of generated cases. */
export const law: Recorder['law'] = shared.law;
/** Registers a case that cannot run here, and says why. */
export const skip: Recorder['skip'] = shared.skip;
/** Loads test files without running them, for the mutation campaign. */
export const loadCases: Recorder['loadCases'] = shared.loadCases;

/** Makes the default device and runs the files: called by scripts/test in Node and in the page. Gives the adapter's name too. */
export async function runTests(
  files: readonly TestFile[],
  options: RunOptions,
  onFile: OnFile,
  onAdapter: (name: string) => void,
): Promise<CaseRecord[]> {
  try {
    const { facts } = await init(options.adapter === undefined ? {} : { adapter: options.adapter });
    adapterName = facts.name;
    onAdapter(facts.name === facts.description ? facts.name : `${facts.name} (${facts.description || facts.vendor})`);
  } catch (reason) {
    return [{ file: 'test/harness.ts', name: 'init finds an adapter', state: 'failed', reason: explain(reason) }];
  }
  return shared.runFiles(files, options, onFile);
}
