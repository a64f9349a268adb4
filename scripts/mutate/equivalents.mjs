// Mutants that no law can tell from the original, each with the argument why: values, not speed, are what laws see.
import { mutantsOf } from './list.mjs';

/** By place (a file, or `file#formula`) and the line before and after, as `npm run mutate -- --list` prints them. */
export const equivalents = [
  ...rows(
    'packages/tensor/src/ops/unary.ts#signFloat',
    'the derivative is 0: neither its double nor its negative is another number',
    "const signFloat: Unary = unary('sign', 'SIGN', 'nothing', (dy) => full(dy.shape, 0));",
    "const signFloat: Unary = unary('sign', 'SIGN', 'nothing', (dy) => (full(dy.shape, 0)).mul(2));",
    "const signFloat: Unary = unary('sign', 'SIGN', 'nothing', (dy) => (full(dy.shape, 0)).neg());",
  ),
  ...rows(
    'packages/tensor/src/ops/binary.ts#slopeOfExponent',
    'no public function takes a number to the power of a tensor',
    'return a === 0 ? where(ge(b, 0), 0, slope) : slope;',
    'return a === 1 ? where(ge(b, 0), 0, slope) : slope;',
  ),
  ...rows(
    'packages/tensor/src/ops/pool.ts#hasEmptyWindows',
    'poolGeometry lets the last window start before size, so this is false as it was; were it true, a mask without effect would follow',
    '(count - 1) * s - p >= size || Array.from({ length: before }, (_, w) => firstInside(w)).some((at) => at >= size)',
    '(count + 1) * s - p >= size || Array.from({ length: before }, (_, w) => firstInside(w)).some((at) => at >= size)',
    '(count - 1) * s - p > size || Array.from({ length: before }, (_, w) => firstInside(w)).some((at) => at >= size)',
  ),
  ...rows(
    'packages/tensor/src/ops/pool.ts#hasEmptyWindows',
    'padding is half of a window at most, so only a window of 2 with padding 1 and dilation size + 1 is empty at the front; it is the only one then, and both counts are 1',
    'const before = Math.min(Math.ceil(p / s), count);',
    'const before = Math.min(Math.ceil(s / p), count);',
  ),
  ...rows(
    'shaders/binary/binary.wgsl',
    'one thread more reads and stores the vec4 behind the last: all three buffers end there, so it is clamped to the last vec4 in all, or dropped',
    'if (i < params.vectors) { y[i] = binaryOperation(a[i], b[i]); }',
    'if (i <= params.vectors) { y[i] = binaryOperation(a[i], b[i]); }',
  ),
  ...rows(
    'shaders/create/fill.wgsl',
    'one thread more stores the same value: clamped to the last vec4, or dropped',
    'if (i < params.vectors) { y[i] = vec4u(params.bits); }',
    'if (i <= params.vectors) { y[i] = vec4u(params.bits); }',
  ),
  ...rows(
    'shaders/binary/binaryBroadcast.wgsl',
    'changes what is read for components behind the last element only, which are stored into padding',
    'let at = offsets(min(vector * 4 + component, params.size - 1));',
    'let at = offsets(min(vector * 4 + component, params.size + 1));',
  ),
];

/** Rows of one place and one argument: a line and what mutants make of it. */
function rows(place, reason, before, ...changed) {
  return changed.map((after) => ({ place, before, after, reason }));
}

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
