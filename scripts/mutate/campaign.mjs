// A campaign: a run without mutants finds the cases that execute each place, then the likeliest cases run with each mutant.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bundleForNode } from '../bundle.mjs';
import { testEntry, testFiles } from '../testFiles.mjs';
import { cacheFolder, exitWithError, root } from '../workspace.mjs';
import { withMutants } from './formulas.mjs';
import { mutantsOf, mutatedFiles } from './list.mjs';
import { clamped, Worker } from './pool.mjs';

/** @typedef {import('./rules.mjs').Mutant} Mutant */
/** @typedef {import('./report.mjs').Outcome} Outcome */
/** @typedef {import('./report.mjs').State} State */
/** @typedef {import('./pool.mjs').CaseName & { readonly index: number, readonly key: string }} Case */
/** @typedef {{ key: string, reason: string | null, milliseconds: number, places: readonly string[] }} Baseline */
/** @typedef {{ adapter?: string | undefined, seconds?: number, family?: boolean, skip?: string | undefined, reuse?: boolean }} Options */

const folder = join(cacheFolder(), 'mutation');
/** The laws that run with mutants: those of kernels and formulas, and the comparisons with PyTorch. */
const lawFolders = ['test/tensor', 'test/nn', 'test/golden', 'test/hostile'];
/** Of the tests in Node only, long sums, which alone detect how sums are split. */
const longSums = 'test/tensor/sums.node.test.ts';
/** Messages of shaders that do not compile. */
const notCompiled = /does not compile|ShaderModule|Error while parsing/i;
/** A case hangs if it exceeds this multiple of its time without a mutant, and this many milliseconds. */
const patience = { times: 12, least: 60_000 };

/** The name that a family's kernels, operation and tests share. @param {Mutant} mutant */
function familyOf({ file }) {
  const [, family = ''] = file.split('/');
  return file.startsWith('shaders/') ? family : basename(file, '.ts');
}

/** Bundles the tests with every mutant of a formula inside. @param {readonly string[]} files @param {readonly Mutant[]} mutants */
async function bundle(files, mutants) {
  const entry = testEntry(files);
  const contents = `${entry.contents}export { loadCases } from './test/harness.ts';
export { init } from '@mien/tensor';
export { currentDevice, kernels, withKernelText } from '@mien/tensor/internal';
`;
  const byFile = grouped(mutants);
  /** @type {import('esbuild').Plugin} */
  const switched = {
    name: 'mutants',
    setup(build) {
      build.onLoad({ filter: /\/packages\/.*\.ts$/ }, ({ path }) => {
        const file = path.slice(root.length + 1).replaceAll('\\', '/');
        const inFile = byFile.get(file);
        return inFile
          ? { contents: withMutants(file, readFileSync(path, 'utf8'), inFile), loader: 'ts', resolveDir: dirname(path) }
          : undefined;
      });
    },
  };
  return bundleForNode({ ...entry, contents }, 'mutation', [switched]);
}

/** @param {readonly Mutant[]} mutants */
function grouped(mutants) {
  /** @type {Map<string, Mutant[]>} */
  const groups = new Map();
  for (const mutant of mutants) groups.set(mutant.file, [...(groups.get(mutant.file) ?? []), mutant]);
  return groups;
}

/** Ids of the mutants of formulas that esbuild cannot parse. @param {readonly Mutant[]} mutants */
async function unparsable(mutants) {
  const { transform } = await import('esbuild');
  /** @type {Set<string>} */
  const broken = new Set();
  for (const mutant of mutants.filter(({ file }) => file.endsWith('.ts'))) {
    const source = readFileSync(join(root, mutant.file), 'utf8');
    const text = source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end);
    await transform(text, { loader: 'ts', logLevel: 'silent' }).catch(() => broken.add(mutant.id));
  }
  return broken;
}

/**
 * Runs mutants and calls `onResult` for each. Options: adapter, seconds for each mutant, `family` (only the laws of the mutants' families), `skip`
 * (leaves out cases whose name contains it), `reuse` (of measurements without mutants from earlier sources).
 * @param {readonly Mutant[]} mutants
 * @param {Options} options
 * @param {(result: import('./report.mjs').Result) => void} onResult
 * @param {(line: string) => void} print
 */
export async function campaign(mutants, options, onResult, print) {
  const all = mutantsOf();
  const broken = await unparsable(all);
  // Second derivatives of all families are in one file.
  const families = new Set([...mutants.map(familyOf), 'secondOrder']);
  const files = [...testFiles([], 'browser'), ...(options.family ? [] : [longSums])].filter(
    (path) =>
      lawFolders.some((folder) => path.startsWith(`${folder}/`)) &&
      (!options.family ||
        [...families].some((family) => path.startsWith('test/tensor/') && basename(path).startsWith(family))),
  );
  const file = await bundle(
    files,
    all.filter(({ id }) => !broken.has(id)),
  );
  const worker = new Worker(file, options.adapter);
  try {
    const facts = await worker.start();
    const cases = facts.ready.map((each, index) => ({ ...each, index, key: `${each.file}: ${each.name}` }));
    const map = await baseline(worker, cases, facts, options, print);
    const killers = readKillers();
    for (const mutant of mutants) {
      /** @type {Outcome} */
      const result = broken.has(mutant.id)
        ? { state: 'notCompiled', reason: 'esbuild does not parse it' }
        : startKernel(mutant)
          ? await runStart(mutant, options)
          : await runMutant(worker, mutant, cases, map, killers, options);
      onResult({ mutant, ...result });
    }
    return { adapter: facts.adapter, driver: facts.driver, cases: cases.length };
  } finally {
    worker.stop();
  }
}

/** A hash of everything that determines which code a case runs. @param {string} driver */
function fingerprint(driver) {
  const hash = createHash('sha256').update(driver);
  for (const folder of ['packages/tensor/src', 'packages/nn/src', 'shaders', ...lawFolders]) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.(?:ts|wgsl|json)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)));
    }
  }
  for (const { place } of mutantsOf()) hash.update(place);
  return hash.digest('hex').slice(0, 12);
}

/**
 * The time and the places of every case without a mutant, measured once for each state of the sources.
 * @param {Worker} worker
 * @param {readonly Case[]} cases
 * @param {import('./pool.mjs').Facts} facts
 * @param {Options} options
 * @param {(line: string) => void} print
 * @returns {Promise<Map<number, Baseline>>}
 */
async function baseline(worker, cases, facts, { skip, reuse }, print) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `map-${fingerprint(facts.driver)}.jsonl`);
  /** @type {Map<string, Baseline>} */
  const known = new Map();
  /** @param {string} name */
  const age = (name) => statSync(join(folder, name)).mtimeMs;
  const earlier = readdirSync(folder)
    .filter((name) => name.startsWith('map-'))
    .sort((a, b) => age(a) - age(b));
  for (const each of [...(reuse ? earlier.map((name) => join(folder, name)) : []), path]) {
    for (const line of existsSync(each) ? readFileSync(each, 'utf8').split('\n').filter(Boolean) : []) {
      /** @type {Baseline} */
      const row = JSON.parse(line);
      if (row.reason === null || each === path) known.set(row.key, row);
    }
  }
  const left = () => cases.filter(({ key, skipped }) => !skipped && !known.has(key));
  if (left().length > 0)
    print(`running ${left().length} cases without mutants to find the kernels and formulas of each`);
  while (left().length > 0) {
    /** @param {number} index @param {Omit<Baseline, 'key'>} measured */
    const note = (index, measured) => {
      const row = { key: cases[index]?.key ?? '', ...measured };
      known.set(row.key, row);
      appendFileSync(path, `${JSON.stringify(row)}\n`);
    };
    const { how, last } = await worker.run(
      null,
      left().map(({ index }) => index),
      () => 180_000,
      ({ ended, reason, milliseconds, places }) => note(ended, { reason, milliseconds, places }),
    );
    if (how !== 'done') note(last, { reason: `the process was ${how}`, milliseconds: 0, places: [] });
  }
  const failed = [...known.values()].filter(({ reason }) => reason !== null);
  for (const { key, reason } of failed)
    print(`left out, because it fails without a mutant: ${key}: ${reason?.split('\n')[0]}`);
  return new Map(
    cases.flatMap((each) => {
      const row = known.get(each.key);
      return row && row.reason === null && !(skip && each.key.includes(skip)) ? [[each.index, row]] : [];
    }),
  );
}

/** The places by which a case can detect a mutant: its kernel, every kernel with its library, or its formula. @param {Mutant} mutant */
function placesOf({ file, place }) {
  if (!file.endsWith('.wgsl')) return [place];
  const name = basename(file, '.wgsl');
  if (!file.startsWith('shaders/lib/')) return [name];
  return usersOf(file.slice('shaders/'.length));
}

/** The entry points of the kernels that use a library. @param {string} library */
function usersOf(library) {
  return mutatedFiles()
    .filter((path) => {
      if (!path.endsWith('.wgsl') || path.startsWith('shaders/lib/')) return false;
      const [, uses = ''] = /^\/\/ uses: (.*)$/m.exec(readFileSync(join(root, path), 'utf8')) ?? [];
      return uses.split(/[\s,]+/).includes(library);
    })
    .map((path) => basename(path, '.wgsl'));
}

/**
 * Runs the cases that can detect a mutant, the likeliest first, until one fails.
 * @param {Worker} worker
 * @param {Mutant} mutant
 * @param {readonly Case[]} cases
 * @param {ReadonlyMap<number, Baseline>} map
 * @param {Map<string, number>} killers
 * @param {Options} options
 * @returns {Promise<Outcome>}
 */
async function runMutant(worker, mutant, cases, map, killers, { seconds = 60 }) {
  const places = new Set(placesOf(mutant));
  const family = familyOf(mutant);
  /** @param {number} index */
  const timeOf = (index) => map.get(index)?.milliseconds ?? 0;
  /** @param {Case} each */
  const cost = ({ index, key, file }) => {
    const killed = killers.get(`${mutant.file} ${key}`) ?? 0;
    const weight = basename(file).startsWith(family) ? 0.3 : 1;
    return ((timeOf(index) + 5) * weight) / (1 + 4 * killed);
  };
  const able = cases
    .filter(({ index }) => map.get(index)?.places.some((place) => places.has(place)))
    .sort((a, b) => cost(a) - cost(b));
  if (able.length === 0) return { state: 'survived', reason: 'no case runs it', tried: 0, of: 0, milliseconds: 0 };
  const start = Date.now();
  let tried = 0;
  /** @param {number} index */
  const limitOf = (index) => Math.max(patience.least, patience.times * timeOf(index));
  for (let first = 0, size = 4; first < able.length; first += size, size = 16) {
    if (Date.now() - start > seconds * 1000) break;
    /** @type {{ index: number, reason: string }[]} */
    const failures = [];
    const { how, last } = await worker.run(
      asText(mutant),
      able.slice(first, first + size).map(({ index }) => index),
      limitOf,
      ({ ended, reason }) => {
        tried++;
        if (reason !== null) failures.push({ index: ended, reason });
      },
    );
    /** @param {State} state @param {number} index @param {string} reason @returns {Outcome} */
    const outcome = (state, index, reason) => ({
      state,
      by: cases[index]?.key ?? null,
      reason,
      tried,
      of: able.length,
      milliseconds: Date.now() - start,
    });
    if (how === 'late') return outcome('timedOut', last, `it exceeded ${limitOf(last) / 1000} s`);
    if (how === 'crashed') return outcome('crashed', last, worker.errors.split('\n').at(-2) ?? '');
    const failure = failures.at(-1);
    if (failure === undefined) continue;
    if (notCompiled.test(failure.reason)) return outcome('notCompiled', failure.index, failure.reason);
    // The mutant is killed only if the same case passes without it.
    /** @type {(string | null)[]} */
    const again = [];
    const { how: ending } = await worker.run(null, [failure.index], limitOf, ({ reason }) => void again.push(reason));
    if (ending === 'done' && again.every((reason) => reason === null)) {
      noteKiller(killers, mutant, cases[failure.index]?.key ?? '');
      return outcome('killed', failure.index, failure.reason);
    }
    worker.stop();
  }
  return {
    state: 'survived',
    reason: tried < able.length ? `the time limit was reached after ${tried} cases` : '',
    tried,
    of: able.length,
    milliseconds: Date.now() - start,
  };
}

/** Whether a mutant is in the start check, whose kernels run before there is a default device. @param {Mutant} mutant */
function startKernel({ file }) {
  return file.startsWith('shaders/device/');
}

/** Opens a device whose start check has the mutant; `init` must refuse it. @param {Mutant} mutant @param {Options} options @returns {Promise<Outcome>} */
async function runStart(mutant, { adapter }) {
  const start = Date.now();
  /** @type {import('esbuild').Plugin} */
  const changed = {
    name: 'changed',
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
        if (!path.endsWith(mutant.file)) return undefined;
        return { contents: asText(mutant).text ?? '', loader: 'text' };
      });
    },
  };
  const contents = `import { init } from '@mien/tensor';
await init(${adapter ? JSON.stringify({ adapter }) : ''}).catch((reason) => { process.stdout.write(reason.message); process.exit(3); });
process.exit(0);
`;
  const file = await bundleForNode({ name: 'start.ts', contents }, 'start', [changed]);
  const { status, stdout, signal } = spawnSync(process.execPath, [file], {
    encoding: 'utf8',
    timeout: patience.least,
    env: { MIEN_DAWN: clamped, ...process.env },
  });
  /** @param {State} state @param {string} reason @returns {Outcome} */
  const outcome = (state, reason) => ({
    state,
    by: 'init: the start check',
    reason,
    tried: 1,
    of: 1,
    milliseconds: Date.now() - start,
  });
  if (signal === 'SIGTERM') return outcome('timedOut', `it exceeded ${patience.least / 1000} s`);
  if (status === 0) return outcome('survived', '');
  if (status !== 3) return outcome('crashed', `it exited with ${signal ?? status}`);
  return outcome(notCompiled.test(stdout) ? 'notCompiled' : 'killed', stdout);
}

/** A mutant for the worker. @param {Mutant} mutant @returns {import('./pool.mjs').MutantText} */
function asText(mutant) {
  const { id, file, start, end, text, was } = mutant;
  if (!file.endsWith('.wgsl')) return { id };
  const source = readFileSync(join(root, file), 'utf8');
  if (source.slice(start, end) !== was)
    exitWithError(`mutate: ${file} changed while its mutants ran; rerun the command`);
  const name = file.startsWith('shaders/lib/') ? file.slice('shaders/'.length) : basename(file, '.wgsl');
  return { id, name, text: source.slice(0, start) + text + source.slice(end) };
}

const killersFile = join(folder, 'killers.json');

/** The number of mutants of a file that each case killed. @returns {Map<string, number>} */
function readKillers() {
  return new Map(existsSync(killersFile) ? JSON.parse(readFileSync(killersFile, 'utf8')) : []);
}

/** @param {Map<string, number>} killers @param {Mutant} mutant @param {string} key */
function noteKiller(killers, { file }, key) {
  killers.set(`${file} ${key}`, (killers.get(`${file} ${key}`) ?? 0) + 1);
  writeFileSync(killersFile, JSON.stringify([...killers]));
}
