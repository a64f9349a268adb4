// @ts-nocheck
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

const folder = join(cacheFolder(), 'mutation');
/** The laws that mutants are held against: those of kernels, formulas and PyTorch's own answers. */
const lawFolders = ['test/tensor', 'test/nn', 'test/golden', 'test/hostile'];
/** Of those that run in Node only: sums so long that only they see how these are cut. */
const longSums = 'test/tensor/sums.node.test.ts';
/** How a shader that does not compile is reported. */
const notCompiled = /does not compile|ShaderModule|Error while parsing/i;
/** A case may take so many times longer than without a mutant before it counts as hanging, and so many milliseconds at least. */
const patience = { times: 12, least: 60_000 };

/** Test files that belong to a family: the word of its folder or file. */
function familyOf({ file }) {
  const [, family] = file.split('/');
  return file.startsWith('shaders/') ? family : basename(file, '.ts');
}

/** Bundles the tests with every mutant of a formula inside, and the worker's needs. */
async function bundle(files, mutants) {
  const entry = testEntry(files);
  const contents = `${entry.contents}export { loadCases } from './test/harness.ts';
export { init } from '@mien/tensor';
export { currentDevice, kernels, withKernelText } from '@mien/tensor/internal';
`;
  const byFile = grouped(mutants);
  const switched = {
    name: 'mutants',
    setup(build) {
      build.onLoad({ filter: /\/packages\/.*\.ts$/ }, ({ path }) => {
        const file = path.slice(root.length + 1).replaceAll('\\', '/');
        const own = byFile.get(file);
        return own
          ? { contents: withMutants(file, readFileSync(path, 'utf8'), own), loader: 'ts', resolveDir: dirname(path) }
          : undefined;
      });
    },
  };
  return bundleForNode({ ...entry, contents }, 'mutation', [switched]);
}

function grouped(mutants) {
  const found = new Map();
  for (const mutant of mutants) found.set(mutant.file, [...(found.get(mutant.file) ?? []), mutant]);
  return found;
}

/** Mutants of formulas that esbuild cannot parse. */
async function unparsable(mutants) {
  const { transform } = await import('esbuild');
  const broken = new Set();
  for (const mutant of mutants.filter(({ file }) => file.endsWith('.ts'))) {
    const source = readFileSync(join(root, mutant.file), 'utf8');
    const text = source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end);
    await transform(text, { loader: 'ts', logLevel: 'silent' }).catch(() => broken.add(mutant.id));
  }
  return broken;
}

/**
 * Runs `mutants` and calls `onResult` with what became of each: { mutant, state, by, reason, tried, of, milliseconds }.
 * Options: adapter, seconds for each mutant, `family` (only the laws of the mutants' own families), `skip` (leaves out cases
 * whose name has this word), `results` of earlier mutants that need not run again.
 */
export async function campaign(mutants, options, onResult, say) {
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
    const map = await baseline(worker, cases, facts, options, say);
    const killers = readKillers();
    for (const mutant of mutants) {
      const result = broken.has(mutant.id)
        ? { state: 'notCompiled', reason: 'esbuild does not parse it' }
        : startKernel(mutant)
          ? await holdStart(mutant, options)
          : await hold(worker, mutant, cases, map, killers, options);
      onResult({ mutant, ...result });
    }
    return { adapter: facts.adapter, driver: facts.driver, cases: cases.length };
  } finally {
    worker.stop();
  }
}

/** Changes with whatever decides what a case runs: sources, laws, the places of formulas, the driver. */
function fingerprint(driver) {
  const hash = createHash('sha256').update(driver);
  for (const folder of ['packages/tensor/src', 'packages/nn/src', 'shaders', ...lawFolders]) {
    for (const name of readdirSync(join(root, folder), { recursive: true }).sort()) {
      if (/\.(?:ts|wgsl|json)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)));
    }
  }
  for (const { place } of mutantsOf()) hash.update(place);
  return hash.digest('hex').slice(0, 12);
}

/** Every case without a mutant, once for each state of the sources: how long it takes and what it runs. */
async function baseline(worker, cases, facts, { skip, reuse }, say) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `map-${fingerprint(facts.driver)}.jsonl`);
  const known = new Map();
  const age = (name) => statSync(join(folder, name)).mtimeMs;
  const earlier = readdirSync(folder)
    .filter((name) => name.startsWith('map-'))
    .sort((a, b) => age(a) - age(b));
  for (const each of [...(reuse ? earlier.map((name) => join(folder, name)) : []), path]) {
    for (const line of existsSync(each) ? readFileSync(each, 'utf8').split('\n').filter(Boolean) : []) {
      const row = JSON.parse(line);
      if (row.reason === null || each === path) known.set(row.key, row);
    }
  }
  const left = () => cases.filter(({ key, skipped }) => !skipped && !known.has(key));
  if (left().length > 0)
    say(`one run of ${left().length} cases without mutants, to see which kernels and formulas each runs`);
  while (left().length > 0) {
    const note = (index, row) => {
      const { key } = cases[index];
      known.set(key, { key, ...row });
      appendFileSync(path, `${JSON.stringify(known.get(key))}\n`);
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
    say(`left out, because it fails without a mutant: ${key}: ${reason.split('\n')[0]}`);
  return new Map(
    cases.flatMap((each) => {
      const row = known.get(each.key);
      return row && row.reason === null && !(skip && each.key.includes(skip)) ? [[each.index, row]] : [];
    }),
  );
}

/** What of a case's places shows that it can see a mutant: the kernel itself, every kernel with the library, or the formula. */
function placesOf({ file, place }) {
  if (!file.endsWith('.wgsl')) return [place];
  const name = basename(file, '.wgsl');
  if (!file.startsWith('shaders/lib/')) return [name];
  return usersOf(file.slice('shaders/'.length));
}

/** The entry points of the kernels that use a library. */
function usersOf(library) {
  return mutatedFiles()
    .filter((path) => {
      if (!path.endsWith('.wgsl') || path.startsWith('shaders/lib/')) return false;
      const [, uses = ''] = /^\/\/ uses: (.*)$/m.exec(readFileSync(join(root, path), 'utf8')) ?? [];
      return uses.split(/[\s,]+/).includes(library);
    })
    .map((path) => basename(path, '.wgsl'));
}

/** Runs the cases that can see a mutant, the likeliest first, until one fails. */
async function hold(worker, mutant, cases, map, killers, { seconds = 60 }) {
  const places = new Set(placesOf(mutant));
  const family = familyOf(mutant);
  const cost = ({ index, key, file }) => {
    const killed = killers.get(`${mutant.file} ${key}`) ?? 0;
    const own = basename(file).startsWith(family) ? 0.3 : 1;
    return ((map.get(index).milliseconds + 5) * own) / (1 + 4 * killed);
  };
  const able = cases
    .filter(({ index }) => map.get(index)?.places.some((place) => places.has(place)))
    .sort((a, b) => cost(a) - cost(b));
  if (able.length === 0) return { state: 'survived', reason: 'no case runs it', tried: 0, of: 0, milliseconds: 0 };
  const start = Date.now();
  let tried = 0;
  const limitOf = (index) => Math.max(patience.least, patience.times * map.get(index).milliseconds);
  for (let first = 0, size = 4; first < able.length; first += size, size = 16) {
    if (Date.now() - start > seconds * 1000) break;
    let failure = null;
    const { how, last } = await worker.run(
      asText(mutant),
      able.slice(first, first + size).map(({ index }) => index),
      limitOf,
      ({ ended, reason }) => {
        tried++;
        if (reason !== null) failure = { index: ended, reason };
      },
    );
    const found = (state, index, reason) => ({
      state,
      by: cases[index]?.key ?? null,
      reason,
      tried,
      of: able.length,
      milliseconds: Date.now() - start,
    });
    if (how === 'late') return found('timedOut', last, `it took longer than ${limitOf(last) / 1000} s`);
    if (how === 'crashed') return found('crashed', last, worker.errors.split('\n').at(-2) ?? '');
    if (failure === null) continue;
    if (notCompiled.test(failure.reason)) return found('notCompiled', failure.index, failure.reason);
    // It counts only if the same case passes without the mutant right after.
    let again = null;
    const { how: ending } = await worker.run(null, [failure.index], limitOf, ({ reason }) => {
      again = reason;
    });
    if (ending === 'done' && again === null) {
      noteKiller(killers, mutant, cases[failure.index].key);
      return found('killed', failure.index, failure.reason);
    }
    worker.stop();
  }
  return {
    state: 'survived',
    reason: tried < able.length ? `the time was over after ${tried} cases` : '',
    tried,
    of: able.length,
    milliseconds: Date.now() - start,
  };
}

/** Whether a mutant is of the start check, whose kernels run before there is a default device. */
function startKernel({ file }) {
  return file.startsWith('shaders/device/');
}

/** Opens a device whose start check has the mutant: `init` must refuse it. */
async function holdStart(mutant, { adapter }) {
  const start = Date.now();
  const changed = {
    name: 'changed',
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
        const own = path.endsWith(mutant.file);
        return own ? { contents: asText(mutant).text, loader: 'text' } : undefined;
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
  const found = (state, reason) => ({
    state,
    by: 'init: the start check',
    reason,
    tried: 1,
    of: 1,
    milliseconds: Date.now() - start,
  });
  if (signal === 'SIGTERM') return found('timedOut', `it took longer than ${patience.least / 1000} s`);
  if (status === 0) return found('survived', '');
  if (status !== 3) return found('crashed', `it ended with ${signal ?? status}`);
  return found(notCompiled.test(stdout) ? 'notCompiled' : 'killed', stdout);
}

/** A mutant as the worker takes it: a kernel's or library's name and text, or the id of what is in the bundle. */
function asText(mutant) {
  const { id, file, start, end, text, was } = mutant;
  if (!file.endsWith('.wgsl')) return { id };
  const source = readFileSync(join(root, file), 'utf8');
  if (source.slice(start, end) !== was)
    exitWithError(`mutate: ${file} was changed while its mutants ran; run it again`);
  const name = file.startsWith('shaders/lib/') ? file.slice('shaders/'.length) : basename(file, '.wgsl');
  return { id, name, text: source.slice(0, start) + text + source.slice(end) };
}

const killersFile = join(folder, 'killers.json');

function readKillers() {
  return new Map(existsSync(killersFile) ? JSON.parse(readFileSync(killersFile, 'utf8')) : []);
}

function noteKiller(killers, { file }, key) {
  killers.set(`${file} ${key}`, (killers.get(`${file} ${key}`) ?? 0) + 1);
  writeFileSync(killersFile, JSON.stringify([...killers]));
}
