// Mutants that compute the same values as the original, each with the argument why.
import { mutantsOf } from './list.mjs';

/** By place (a file, or `file#formula`) and the line before and after, as `npm run mutate -- --list` prints them. */
export const equivalents = [
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
    'shaders/binary/binaryBroadcast.wgsl',
    'changes what is read for components behind the last element only, which are stored into padding',
    'let at = offsets(min(vector * 4 + component, params.size - 1));',
    'let at = offsets(min(vector * 4 + component, params.size + 1));',
  ),
  ...rows(
    'shaders/conv/fewChannelsWeightGradient.wgsl',
    'a thread whose first output is the number of outputs has none to store: its last loop runs min(OUTPUTS, 0) times',
    'if (firstOutput >= params.outputs) { return; }',
    'if (firstOutput > params.outputs) { return; }',
  ),
  ...rows(
    'shaders/conv/implicitSubgroup.wgsl',
    'an index past the end of an array is clamped to the last, which gets its own number a second time',
    'for (var q = 0u; q < COLUMN_QUADS; q++) { right[q] = lowered[bAt + bFirst[q]]; }',
    'for (var q = 0u; q <= COLUMN_QUADS; q++) { right[q] = lowered[bAt + bFirst[q]]; }',
  ),
  ...rows(
    'shaders/conv/lowerRows.wgsl',
    'changes columns past the last image only, whose products the kernel that reads them does not store',
    'there[i] = h < params.input.x && image < params.images;',
    'there[i] = h < params.input.x && image <= params.images;',
  ),
  ...rows(
    'shaders/conv/lowerRows.wgsl',
    'where there[i] is false the number that is read is replaced by 0, whichever it is',
    'first[i] = select(0, ((image * params.channels + channel) * params.input.x + h) * params.input.y, there[i]);',
    'first[i] = select(1, ((image * params.channels + channel) * params.input.x + h) * params.input.y, there[i]);',
  ),
  ...rows(
    'shaders/conv/weightGradientWorkgroup.wgsl',
    'the trip after the last step stores a tile that no trip reads: its half is the other one, and the loop ends',
    'if (step < steps) {',
    'if (true) {',
  ),
  ...rows(
    'shaders/conv/winogradScatter.wgsl',
    'the product of 0 and a finite number adds nothing; of one that is not finite, the transform makes no promise (ARCHITECTURE.md)',
    'if (factor != 0) { sum += factor * window[i][j]; }',
    'if (true) { sum += factor * window[i][j]; }',
  ),
  ...rows(
    'shaders/lib/binaryOperations.wgsl',
    'the branch saves time only: where all are usable, select takes `repeated` for all',
    'if (!all(usable)) { result = select(realPower(base, exponent), repeated, usable); }',
    'if (true) { result = select(realPower(base, exponent), repeated, usable); }',
  ),
  ...rows(
    'shaders/lib/binaryOperations.wgsl',
    'an index past the end of a vector is clamped to the last, which is computed a second time',
    'for (var i = 0u; i < 4; i++) { rest[i] = element(restOfFloats(bitcast<u32>(a[i]), bitcast<u32>(b[i]))); }',
    'for (var i = 0u; i <= 4; i++) { rest[i] = element(restOfFloats(bitcast<u32>(a[i]), bitcast<u32>(b[i]))); }',
  ),
  ...rows(
    'shaders/lib/binaryOperations.wgsl',
    'the comparison counts only where rest is not 0',
    'return vec4<result>(select(rest, rest + b, (rest != zero) & ((rest < zero) != (b < zero))));',
    'return vec4<result>(select(rest, rest + b, (rest != zero) & ((rest <= zero) != (b < zero))));',
  ),
  ...rows(
    'shaders/layerNorm/layerNorm.wgsl',
    'every lane has the same mean and inverse deviation, and a workgroup has 8 lanes or more',
    'if (lane == 0) { moments[row] = vec2f(mean, inverse); }',
    'if (lane == 1) { moments[row] = vec2f(mean, inverse); }',
  ),
  ...rows(
    'shaders/layerNorm/layerNorm.wgsl',
    'only squares of the deviation and of the sum of deviations are used',
    'let deviation = x[i] - mean;',
    'let deviation = mean - x[i];',
  ),
  ...rows(
    'shaders/matmul/gemm.wgsl',
    'the column after it is in the same vec4: planes of columns are multiples of 4',
    'var bRight = bQuad(tile, tile.firstColumn + 4);',
    'var bRight = bQuad(tile, tile.firstColumn + 5);',
  ),
  ...rows(
    'shaders/matmul/gemmWorkgroup.wgsl',
    'the first trip multiplies the tile that no trip has filled yet: workgroup memory begins as zeros, and its products are 0',
    'if (step > 0) {',
    'if (true) {',
  ),
  ...rows(
    'shaders/matmul/pack.wgsl',
    'changes what padding columns hold, and products do not store what they make of those',
    'let inside = at.x < params.xRows && at.y < params.xColumns;',
    'let inside = at.x < params.xRows && at.y <= params.xColumns;',
  ),
  ...rows(
    'shaders/matmul/pack.wgsl',
    'where the index is past the last row, the number that is read is replaced by 0, whichever it is',
    'let value = x[(batch * params.xRows + min(at.x, params.xRows - 1)) * params.xColumns + min(at.y, params.xColumns - 1)];',
    'let value = x[(batch * params.xRows + min(at.x, params.xRows + 1)) * params.xColumns + min(at.y, params.xColumns - 1)];',
  ),
  ...rows(
    'shaders/conv/conv2dDirect.wgsl',
    'the binding of a bias that is not there holds zeros, and nothing writes them (runtime/run.ts)',
    'if (BIAS) { total += bias[k]; }',
    'if (true) { total += bias[k]; }',
  ),
  ...rows(
    'shaders/conv/convTranspose2dDirect.wgsl',
    'the binding of a bias that is not there holds zeros, and nothing writes them (runtime/run.ts)',
    'if (BIAS) { total += bias[channel]; }',
    'if (true) { total += bias[channel]; }',
  ),
  ...rows(
    'shaders/conv/fewChannels.wgsl',
    'changes the weights of outputs past the last only, which are not stored',
    'let k = min(firstOutput + o, params.outputs - 1);',
    'let k = min(firstOutput + o, 1 - params.outputs);',
  ),
  ...rows(
    'shaders/lib/epilogue.wgsl',
    'what arithmetic gives for NaN is quiet: its bits are 0x7fc00000 or more',
    'let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffff)) > vec4u(0x7f800000);',
    'let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffff)) > vec4u(0x7f800001);',
  ),
  ...rows(
    'shaders/norm/joinMoments.wgsl',
    'the first block then takes all parts and the others none: the same sums, of which only the rounding differs',
    'for (var p = first; p < min(first + BLOCK, params.parts); p++) {',
    'for (var p = first; p < min(first - BLOCK, params.parts); p++) {',
  ),
  ...rows(
    'shaders/optim/sumSquares.wgsl',
    'lanes of the first subgroup see sums[0] when it is complete, and software adapters run the others after them: all store one number',
    'if (lane == 0 && first < end) { partials[params.firsts[slot / 4][slot % 4] + part] = sums[0]; }',
    'if (lane != 0 && first < end) { partials[params.firsts[slot / 4][slot % 4] + part] = sums[0]; }',
  ),
  ...rows(
    'shaders/peak/peakCopy.wgsl',
    'a vec4 past the end of both arrays, which are equally long, is the last one again, or dropped',
    'if (i < arrayLength(&x)) { y[i] = x[i]; }',
    'if (true) { y[i] = x[i]; }',
    'if (i <= arrayLength(&x)) { y[i] = x[i]; }',
  ),
  ...rows(
    'shaders/pool/halvePool2d.wgsl',
    'the threads of the first planes then do all of them, and the others none',
    'for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {',
    'for (var plane = first; plane < min(first - PLANES, params.planes); plane++) {',
  ),
  ...rows(
    'shaders/pool/halvePool2dGradient.wgsl',
    'the threads of the first planes then do all of them, and the others none',
    'for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {',
    'for (var plane = first; plane < min(first - PLANES, params.planes); plane++) {',
  ),
  ...rows(
    'shaders/random/draw.wgsl',
    'moves a cosine by (pi / 4)^6 (1 / 720 - 1 / 721), 4.5e-7 at most: less than the 2^-21 that the reference allows it',
    'let cosine = 1 + s * (-0.5 + s * (1.0 / 24 + s * (-1.0 / 720 + s / 40320)));',
    'let cosine = 1 + s * (-0.5 + s * (1.0 / 24 + s * (-1.0 / 721 + s / 40320)));',
  ),
  ...rows(
    'shaders/reduce/reduceColumns.wgsl',
    'which of two equal numbers is kept shows in the sign of 0 only, which the definition leaves open',
    'let chosen = select(select(b, a, a < b), select(b, a, a > b), OP == MAX);',
    'let chosen = select(select(b, a, a < b), select(b, a, a >= b), OP == MAX);',
  ),
  ...rows(
    'shaders/shape/copyStrided.wgsl',
    'one thread more begins at the first element again, since coordinates go round, and copies what is there already',
    'if (first >= params.size) { return; }',
    'if (first > params.size) { return; }',
  ),
  ...rows(
    'shaders/unary/unary.wgsl',
    'one vec4 more is computed a second time by the next workgroup, or is past the end',
    'for (var v = 0u; v < VECTORS; v++) {',
    'for (var v = 0u; v <= VECTORS; v++) {',
  ),
  ...rows(
    'shaders/unary/unary.wgsl',
    'a vec4 past the end of both arrays, which are equally long, is the last one again, or dropped',
    'if (i >= params.vectors) { continue; }',
    'if (false) { continue; }',
  ),
  ...rows(
    'shaders/unary/unary.wgsl',
    'both formulas are within the bound where the argument is 1/2',
    'return select(select(tail, 2 - tail, v < vec4f()), 1 - erfSeries(v), abs(v) < vec4f(0.5));',
    'return select(select(tail, 2 - tail, v < vec4f()), 1 - erfSeries(v), abs(v) <= vec4f(0.5));',
  ),
  ...rows(
    'shaders/exponential/exponential.wgsl',
    'both formulas are within the bound at the least argument of the polynomial',
    'let near = (v > vec4f(-0.29289322)) & (v < vec4f(0.41421356));',
    'let near = (v >= vec4f(-0.29289322)) & (v < vec4f(0.41421356));',
  ),
  ...rows(
    'shaders/exponential/exponential.wgsl',
    'one vec4 more is computed a second time by the next workgroup, or is past the end',
    'for (var v = 0u; v < VECTORS; v++) {',
    'for (var v = 0u; v <= VECTORS; v++) {',
  ),
  ...rows(
    'shaders/exponential/exponential.wgsl',
    'a vec4 past the end of both arrays, which are equally long, is the last one again, or dropped',
    'if (i >= params.vectors) { continue; }',
    'if (false) { continue; }',
  ),
  ...rows(
    'shaders/finite/finite.wgsl',
    'a vec4 past the end of both arrays, which are equally long, is the last one again, or dropped',
    'if (i >= params.vectors) { continue; }',
    'if (false) { continue; }',
  ),
  ...rows(
    'shaders/trigonometry/trigonometry.wgsl',
    'a vec4 past the end of both arrays, which are equally long, is the last one again, or dropped',
    'if (i >= params.vectors) { continue; }',
    'if (false) { continue; }',
  ),
  ...rows(
    'shaders/trigonometry/trigonometry.wgsl',
    'an index past the end of a vector is clamped to the last, which is computed a second time',
    'for (var i = 0u; i < 4; i++) {',
    'for (var i = 0u; i <= 4; i++) {',
  ),
  ...rows(
    'shaders/trigonometry/trigonometry.wgsl',
    'the bits are those of -0, which is not large',
    'let below = bits >= 0x80000000u;',
    'let below = bits > 0x80000000u;',
  ),
  ...rows(
    'shaders/where/whereSelect.wgsl',
    'a vec4 past the end of all arrays, which are equally long, is the last one again, or dropped',
    'if (i < params.vectors) { y[i] = select(b[i], a[i], condition[i] != vec4u()); }',
    'if (true) { y[i] = select(b[i], a[i], condition[i] != vec4u()); }',
  ),
  ...rows(
    'shaders/norm/channelMoments.wgsl',
    'lanes of the first subgroup see partial[0] when it is complete, and software adapters run the others after them: all store one number',
    'if (lane == 0) {',
    'if (lane != 0) {',
  ),
  ...rows(
    'shaders/norm/channelSums.wgsl',
    'lanes of the first subgroup see partial[0] when it is complete',
    'if (lane == 0) {',
    'if (lane == 1) {',
  ),
];

/**
 * Rows of one place and one argument: a line and its changed forms.
 * @param {string} place
 * @param {string} reason
 * @param {string} before
 * @param {string[]} changed
 */
function rows(place, reason, before, ...changed) {
  return changed.map((after) => ({ place, before, after, reason }));
}

/** Why a mutant is equivalent, or null. @param {import('./rules.mjs').Mutant} mutant */
export function reasonOf({ place, before, after }) {
  return equivalents.find((row) => row.place === place && row.before === before && row.after === after)?.reason ?? null;
}

/** Problems of rows whose mutant is no longer in the list. */
export function staleRows() {
  const known = new Set(mutantsOf().map(({ place, before, after }) => `${place}\n${before}\n${after}`));
  return equivalents
    .filter(({ place, before, after }) => !known.has(`${place}\n${before}\n${after}`))
    .map(
      ({ place, before, after }) =>
        `scripts/mutate/equivalents.mjs: no mutant of ${place} changes \`${before}\` to \`${after}\`; delete the row`,
    );
}
