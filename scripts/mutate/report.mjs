// The report of a campaign, as text and as JSON.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { root } from '../workspace.mjs';
import { kinds } from './rules.mjs';

/** @typedef {import('./rules.mjs').Mutant} Mutant */
/** @typedef {'killed' | 'survived' | 'equivalent' | 'notCompiled' | 'timedOut' | 'crashed' | 'refuted'} State */
/**
 * @typedef {{ state: State, reason?: string, by?: string | null, tried?: number, of?: number, milliseconds?: number }} Outcome
 * @typedef {Outcome & { mutant: Mutant }} Result
 */

/** @type {Record<State, string>} */
const states = {
  killed: 'killed',
  survived: 'survived',
  equivalent: 'equivalent',
  notCompiled: 'not compiled',
  timedOut: 'timed out',
  crashed: 'crashed',
  refuted: 'refuted', // listed as equivalent, and killed
};

/** `count` mutants chosen by a seed, of different places if possible. @param {readonly Mutant[]} mutants @param {number} count @param {number} seed */
export function sampled(mutants, count, seed) {
  /** @param {Mutant} mutant */
  const order = ({ id }) => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  const shuffled = [...mutants].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const places = new Set();
  const first = shuffled.filter(({ place }) => !places.has(place) && places.add(place));
  return [...first, ...shuffled.filter((mutant) => !first.includes(mutant))].slice(0, count);
}

/**
 * The summary as text and JSON, and the number of survivors without a reason.
 * @param {readonly Result[]} results
 * @param {{ readonly seconds: number, readonly filters: readonly string[] }} facts
 */
export function summary(results, facts) {
  const names = /** @type {State[]} */ (Object.keys(states));
  /** @param {readonly Result[]} list */
  const countsOf = (list) =>
    /** @type {Record<State, number>} */ (
      Object.fromEntries(names.map((state) => [state, list.filter((each) => each.state === state).length]))
    );
  const counts = countsOf(results);
  const byKind = Object.keys(kinds).map((kind) => {
    const ofKind = results.filter(({ mutant }) => mutant.kind === kind);
    return { kind, mutants: ofKind.length, ...countsOf(ofKind) };
  });
  const lines = [
    '',
    `${results.length} mutants: ${names.map((state) => `${counts[state]} ${states[state]}`).join(', ')}`,
  ];
  lines.push(
    '',
    `${'kind'.padEnd(12)}${Object.values(states)
      .map((title) => title.padStart(13))
      .join('')}`,
  );
  for (const row of byKind.filter(({ mutants }) => mutants > 0))
    lines.push(`${row.kind.padEnd(12)}${names.map((state) => `${row[state]}`.padStart(13)).join('')}`);
  for (const { mutant, state, reason } of results) {
    if (state === 'survived' || state === 'refuted')
      lines.push(
        '',
        `${state}  ${mutant.id}  ${mutant.place}:${mutant.line}  ${mutant.kind}${reason ? `  (${reason})` : ''}`,
        `  - ${mutant.before}`,
        `  + ${mutant.after}`,
      );
  }
  const commit =
    spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const mutants = results.map(({ mutant: { id, place, line, kind, before, after }, ...rest }) => ({
    id,
    place,
    line,
    kind,
    before,
    after,
    ...rest,
  }));
  lines.push('', `${counts.survived + counts.refuted} survived without a reason, ${facts.seconds} s`, '');
  return {
    text: lines.join('\n'),
    open: counts.survived + counts.refuted,
    json: { date: new Date().toISOString(), commit, ...facts, counts, byKind, mutants },
  };
}
