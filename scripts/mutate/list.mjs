// The fixed list of mutants: for each kernel, library and formula some edits, of as many kinds as apply, chosen by a seed.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../workspace.mjs';
import { formulasOf } from './formulas.mjs';
import { formulaEdits, wgslEdits } from './rules.mjs';

/** Determines the list. */
export const listSeed = 12;

/** Operations, losses, schedules, initial values and optimizers with formulas in TypeScript. */
const formulaFiles =
  /^packages\/(?:tensor\/src\/ops\/\w+|nn\/src\/(?:losses|schedulers|init|optim\/(?:adam|sgd|clip|ema)))\.ts$/;

/** @typedef {import('./rules.mjs').Mutant} Mutant */

/** Sources that have mutants, by path from the root, with `/`. */
export function mutatedFiles() {
  /** @param {string} folder @param {string} ending */
  const below = (folder, ending) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name).replaceAll('\\', '/'))
      .filter((path) => path.endsWith(ending) && !path.includes('node_modules'));
  return [...below('shaders', '.wgsl'), ...below('packages', '.ts').filter((path) => formulaFiles.test(path))].sort();
}

/** The mutants of every file that `wanted` selects. @param {(file: string) => boolean} [wanted] @returns {Mutant[]} */
export function mutantsOf(wanted = () => true) {
  return mutatedFiles()
    .filter(wanted)
    .flatMap((file) => mutantsOfSource(file, readFileSync(join(root, file), 'utf8')));
}

/** The mutants of one source. @param {string} file @param {string} source @returns {Mutant[]} */
export function mutantsOfSource(file, source) {
  if (file.endsWith('.wgsl')) {
    const lines = source.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
    return choose(file, source, file, [...wgslEdits(source)], Math.max(3, Math.min(8, Math.round(lines / 8))));
  }
  const formulas = formulasOf(file, source);
  /** @param {import('./rules.mjs').Edit} edit @param {import('./formulas.mjs').Formula} formula */
  const inner = ({ start, end }, formula) =>
    formulas.some(
      (other) =>
        other !== formula &&
        other.start >= formula.start &&
        other.end <= formula.end &&
        start >= other.start &&
        end <= other.end,
    );
  return formulas.flatMap((formula) => {
    const edits = [...formulaEdits(source, formula.start, formula.end)].filter((edit) => !inner(edit, formula));
    return choose(file, source, `${file}#${formula.name}`, edits, edits.length > 12 ? 4 : edits.length > 4 ? 3 : 2);
  });
}

/**
 * Up to `count` edits: one of each kind in turn, in an order given by the seed.
 * @param {string} file
 * @param {string} source
 * @param {string} place
 * @param {readonly import('./rules.mjs').Edit[]} edits
 * @param {number} count
 */
function choose(file, source, place, edits, count) {
  /** @type {Map<string, Mutant>} */
  const described = new Map();
  for (const edit of edits) {
    const mutant = describe(file, source, place, edit);
    if (mutant.before !== mutant.after && !described.has(mutant.key)) described.set(mutant.key, mutant);
  }
  /** @param {Mutant | undefined} mutant */
  const order = (mutant) => createHash('sha256').update(`${listSeed} ${mutant?.key}`).digest('hex');
  /** @type {Map<string, Mutant[]>} */
  const byKind = new Map();
  for (const mutant of [...described.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1)))
    byKind.set(mutant.kind, [...(byKind.get(mutant.kind) ?? []), mutant]);
  // Barriers first: they are few, and a missing one is the hardest fault to detect.
  /** @param {readonly Mutant[]} list */
  const rank = (list) => (list[0]?.kind === 'barrier' ? '' : order(list[0]));
  const kinds = [...byKind.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  /** @type {Mutant[]} */
  const chosen = [];
  for (let round = 0; chosen.length < count && kinds.some((list) => list.length > round); round++)
    for (const [mutant] of kinds.map((list) => list.slice(round)))
      if (mutant && chosen.length < count) chosen.push(mutant);
  return chosen.sort((a, b) => a.start - b.start);
}

/**
 * The mutant of an edit. Its key is the place, the kind, and the changed line before and after.
 * @param {string} file
 * @param {string} source
 * @param {string} place
 * @param {import('./rules.mjs').Edit} edit
 * @returns {Mutant}
 */
function describe(file, source, place, edit) {
  const from = source.lastIndexOf('\n', edit.start - 1) + 1;
  const stop = source.indexOf('\n', edit.end);
  const to = stop < 0 ? source.length : stop;
  const before = oneLine(source.slice(from, to));
  const after = oneLine(source.slice(from, edit.start) + edit.text + source.slice(edit.end, to));
  const line = source.slice(0, edit.start).split('\n').length;
  const key = `${place} | ${edit.kind} | ${before} | ${after}`;
  const id = createHash('sha256').update(key).digest('hex').slice(0, 10);
  return { id, key, file, place, line, before, after, was: source.slice(edit.start, edit.end), ...edit };
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}

/** Problems of places with fewer than two kinds of mutants. */
export function thinPlaces() {
  const problems = [];
  for (const file of mutatedFiles()) {
    const source = readFileSync(join(root, file), 'utf8');
    if (file.endsWith('.wgsl') && !/\bfn \w+\(/.test(source)) continue; // declarations only
    const places = file.endsWith('.wgsl') ? [file] : formulasOf(file, source).map(({ name }) => `${file}#${name}`);
    const mutants = mutantsOfSource(file, source);
    for (const place of places) {
      const found = new Set(mutants.filter((mutant) => mutant.place === place).map(({ kind }) => kind));
      if (found.size < 2)
        problems.push(
          `${place}: expected 2 kinds of mutants, got ${found.size}; add a rule for its text to scripts/mutate/rules.mjs`,
        );
    }
  }
  return problems;
}
