// Mutants that no law can tell from the original, each with the argument why: values, not speed, are what laws see.
import { mutantsOf } from './list.mjs';

/** Rows of place (a file, or `file#formula`), changed line before and after, as `npm run mutate -- --list` prints them, and the argument. */
export const equivalents = [];

/** Why a mutant is equivalent, or null. */
export function reasonOf({ place, before, after }) {
  return equivalents.find((row) => row.place === place && row.before === before && row.after === after)?.reason ?? null;
}

/** Rows that are not of the list any more, as sentences. */
export function staleRows() {
  const known = new Set(mutantsOf().map(({ place, before, after }) => `${place}\n${before}\n${after}`));
  return equivalents
    .filter(({ place, before, after }) => !known.has(`${place}\n${before}\n${after}`))
    .map(
      ({ place, before, after }) =>
        `scripts/mutate/equivalents.mjs: no mutant of ${place} changes \`${before}\` to \`${after}\`; delete the row`,
    );
}
