// @ts-nocheck
// What a campaign found, as text and as JSON.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { root } from '../workspace.mjs';
import { kinds } from './rules.mjs';

const states = {
  killed: 'killed',
  survived: 'survived',
  equivalent: 'equivalent',
  notCompiled: 'not compiled',
  timedOut: 'timed out',
  crashed: 'crashed',
  refuted: 'refuted', // listed as equivalent, and killed
};

/** `count` mutants chosen by a seed, of different places as far as there are any. */
export function sampled(mutants, count, seed) {
  const order = ({ id }) => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  const shuffled = [...mutants].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const places = new Set();
  const first = shuffled.filter(({ place }) => !places.has(place) && places.add(place));
  return [...first, ...shuffled.filter((mutant) => !first.includes(mutant))].slice(0, count);
}

/** The summary as text and JSON, and how many survived without a reason. */
export function summary(results, facts) {
  const count = (state, list = results) => list.filter((each) => each.state === state).length;
  const counts = Object.fromEntries(Object.keys(states).map((state) => [state, count(state)]));
  const byKind = Object.keys(kinds).map((kind) => {
    const own = results.filter(({ mutant }) => mutant.kind === kind);
    return {
      kind,
      mutants: own.length,
      ...Object.fromEntries(Object.keys(states).map((state) => [state, count(state, own)])),
    };
  });
  const lines = [
    '',
    `${results.length} mutants: ${Object.entries(states)
      .map(([state, words]) => `${counts[state]} ${words}`)
      .join(', ')}`,
  ];
  lines.push(
    '',
    `${'kind'.padEnd(12)}${Object.values(states)
      .map((words) => words.padStart(13))
      .join('')}`,
  );
  for (const row of byKind.filter(({ mutants }) => mutants > 0))
    lines.push(
      `${row.kind.padEnd(12)}${Object.keys(states)
        .map((state) => `${row[state]}`.padStart(13))
        .join('')}`,
    );
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
