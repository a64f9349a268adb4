// Registers cases and laws and records their results. uvu runs them, but its exit code is not used: it is 0 even if nothing ran.
import { init } from '@mien/tensor';
import { type LawCases, type LawOptions, type LawReport, law as stateLaw } from '@mien/tensor/testing';
import type { Arbitrary } from 'fast-check';
import { suite } from 'uvu';
import { type Belief, beliefsOf, believing, runsUnderBelief } from './beliefs.ts';
import { callCounts } from './calls.ts';
import { claimOf } from './titles.ts';

/** The result of one case. */
export interface CaseRecord {
  readonly file: string;
  readonly name: string;
  state: 'registered' | 'passed' | 'failed' | 'skipped';
  /** Reason of a failure or skip. */
  reason?: string;
  milliseconds?: number;
  /** A law's largest ratio of error to tolerance. */
  worst?: number;
  /** The shapes that a law of one algorithm ran. */
  ran?: Ran;
}

/** The shapes for which the kernels of one algorithm were dispatched. */
export interface Ran {
  readonly operation: string;
  readonly algorithm: string;
  readonly shapes: readonly string[];
  /** Set by the harness. */
  readonly adapter?: string;
  /** Set by the harness: the limits that were assumed. */
  readonly belief?: string;
}

/** Options of a case. */
export interface CaseOptions {
  /** Time limit. Default 120. */
  readonly seconds?: number;
  /** A reason to skip the case, or a function that returns one. */
  readonly skip?: string | undefined | (() => string | undefined | Promise<string | undefined>);
}

/** Options of a law. */
export interface LawCaseOptions<C> extends CaseOptions, LawCases<C> {
  /** Called after a run without failures; returns the shapes that ran, or throws if there are too few. */
  readonly after?: (report: LawReport, run: LawOptions) => Ran;
}

/** Options of a run. */
export interface RunOptions extends LawOptions {
  /** Selects cases whose file path or name contains one of these; empty selects all. */
  readonly filters?: readonly string[];
  readonly adapter?: string;
}

/** A test file's path and its import, which registers the cases. */
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
  /** Loads the files, at most once per process, and returns their cases. */
  readonly loadCases: (files: readonly TestFile[]) => Promise<Case[]>;
}

/** Called after each file. */
export type OnFile = (file: string, records: readonly CaseRecord[]) => void;

/** A registered case, which can run any number of times; `run` rejects on failure. */
export interface Case {
  readonly record: CaseRecord;
  readonly seconds: number;
  readonly skip: CaseOptions['skip'];
  readonly run: (options: LawOptions) => Promise<Pick<CaseRecord, 'worst' | 'ran'>>;
}

/** Makes a recorder; the test files share one, below. */
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
      const check = stateLaw(name, arbitrary, property, rest);
      add(name, options, async (run) => {
        const report = await check(run);
        return { worst: report.worst, ...(after ? { ran: after(report, run) } : {}) };
      });
    },
    skip: (name, reason) => add(name, { skip: reason }, async () => ({})),
    runFiles: async (files, options = {}, onFile = () => {}) => {
      const records: CaseRecord[] = [];
      for (const [path, load] of files) {
        file = path;
        cases = [];
        const ofFile = await runFile(path, load, () => cases, options);
        records.push(...ofFile);
        if (ofFile.length > 0) onFile(path, ofFile);
        file = null;
      }
      return records;
    },
    loadCases: async (files) => {
      const loaded: Case[] = [];
      for (const [path, load] of files) {
        file = path;
        cases = [];
        await load();
        loaded.push(...cases, ...casesUnderBelief(path, cases));
      }
      file = null;
      return loaded;
    },
  };
}

async function runFile(
  path: string,
  load: () => Promise<unknown>,
  registered: () => readonly Case[],
  options: RunOptions,
): Promise<CaseRecord[]> {
  const failure = (name: string, reason: string): CaseRecord => ({ file: path, name, state: 'failed', reason });
  try {
    await load();
  } catch (reason) {
    return [failure(`${path} loads`, explain(reason))];
  }
  if (registered().length === 0)
    return [failure(`${path} registers cases`, 'no case was registered; use `test` or `law` of test/harness.ts')];
  const filters = options.filters ?? [];
  const selected = [...registered(), ...casesUnderBelief(path, registered())].filter(
    ({ record }) =>
      filters.length === 0 ||
      filters.some((filter) => `${path} ${record.name}`.toLowerCase().includes(filter.toLowerCase())),
  );
  if (selected.length === 0) return [];
  const cases = suite(path);
  for (const each of selected) cases(each.record.name, () => runCase(each, options));
  const error = await runSuite(cases);
  const records = selected.map(({ record }) => record);
  for (const record of records) {
    if (record.state === 'registered')
      Object.assign(record, { state: 'failed', reason: `it did not run${error ? `: ${error}` : ''}` });
  }
  return records;
}

/** The cases of a file again, for each belief. */
function casesUnderBelief(path: string, cases: readonly Case[]): readonly Case[] {
  return beliefsOf(path).flatMap((belief) => cases.map((each) => underBelief(each, belief)));
}

/** A case with assumed limits of the adapter. */
function underBelief({ record, seconds, skip, run }: Case, belief: Belief): Case {
  return {
    record: { ...record, name: `${record.name}, believing in ${belief.name}` },
    seconds,
    skip: typeof skip === 'function' ? () => believing(belief, skip) : skip,
    run: async (options) => {
      const result = await believing(belief, () => run({ runs: runsUnderBelief, ...options }));
      return result.ran ? { ...result, ran: { ...result.ran, belief: belief.name } } : result;
    },
  };
}

/** Runs one uvu suite immediately: with `UVU_DEFER`, which scripts/ sets, uvu leaves its queue to us. */
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
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError(`it took longer than ${seconds} s`)), seconds * 1000);
  });
  try {
    const before = callCounts();
    const result = await Promise.race([run(options), timeout]);
    expectCalls(record.name, before);
    Object.assign(
      record,
      { state: 'passed' },
      result,
      result.ran ? { ran: { ...result.ran, adapter: adapterName } } : {},
    );
  } catch (reason) {
    const repeat = explain(reason).replace('repeat it with ', `repeat it with npm test -- "${record.name}" `);
    Object.assign(record, { state: 'failed', reason: repeat });
    throw reason;
  } finally {
    clearTimeout(timer);
    record.milliseconds = Math.round(performance.now() - start);
  }
}

/** Throws unless the case called the public functions that its title names, and the gradient check that it claims. */
function expectCalls(title: string, before: ReadonlyMap<string, number>): void {
  const now = callCounts();
  const calls = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (now.get(name) ?? 0) - (before.get(name) ?? 0), 0);
  const claim = claimOf(title);
  for (const name of claim.names.filter((each) => now.has(each))) {
    if (calls(name) === 0)
      throw new TypeError(`expected the case to call ${name}, which its title names; call it or change the title`);
  }
  const isPublic = claim.names.some((name) => now.has(name));
  if (isPublic && claim.second && calls('gradgradcheck') === 0 && calls('grad', 'backward') < 2)
    throw new TypeError('expected a second derivative, which the title claims; use gradgradcheck');
  if (isPublic && claim.gradient && calls('gradcheck', 'grad', 'backward') === 0)
    throw new TypeError('expected a gradient, which the title claims; use gradcheck');
}

/** Colors in a terminal. */
const colors = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

/** The message, the difference that uvu's `assert` found, and the first frames, among them the line of the test file. */
function explain(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  const { name, message, stack = '' } = reason;
  const { details } = reason as { details?: unknown };
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && !/node_modules|node:internal/.test(line));
  const inTest = frames.findIndex((line) => /\.test\.ts:/.test(line));
  const difference = typeof details === 'string' && details !== '' ? [details.replace(colors, '').trimEnd()] : [];
  return [`${name}: ${message}`, ...difference, ...frames.slice(0, Math.max(6, inTest + 1))].join('\n');
}

const shared = recorder();
/** Name of the default device's adapter. */
let adapterName = '';

/** Registers a case; its title is a sentence that starts with the function. */
export const test: Recorder['test'] = shared.test;
/** Registers a law over generated cases. */
export const law: Recorder['law'] = shared.law;
/** Registers a case that is skipped, with the reason. */
export const skip: Recorder['skip'] = shared.skip;
/** Loads test files without running them, for the mutation campaign. */
export const loadCases: Recorder['loadCases'] = shared.loadCases;

/** Creates the default device and runs the files; called in Node and in the page. Reports the adapter's name to `onAdapter`. */
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
