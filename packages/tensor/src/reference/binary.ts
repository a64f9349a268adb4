import { ulps } from './bounds.ts';
import { build, coordinates, stretchedAt, stretchedOffset, stretchedShape, type Values } from './values.ts';

type Binary = (a: Values, b: Values) => Values;
/** An error as a function of both operands and the result. */
type Error = (a: number, b: number, y: number) => number;

const exact: Error = () => 0;
const relative =
  (count: number): Error =>
  (_a, _b, y) =>
    ulps(count, y);

/** `error` of a float32 result, and of its derivatives where more than the rounding of their values is lost. */
function binary(f: (a: number, b: number) => number, error: Error, slope: Error = exact): Binary {
  return (a, b) => {
    const shape = stretchedShape(a.shape, b.shape);
    const pairs = (i: readonly number[]) => [stretchedAt(a, i), stretchedAt(b, i)] as const;
    const result = build(shape, (i) => {
      const [p, q] = pairs(i);
      const y = f(p.value, q.value);
      let moved = 0;
      if (p.error > 0 || q.error > 0) {
        for (const s of [-1, 1])
          for (const t of [-1, 1])
            moved = Math.max(moved, Math.abs(f(p.value + s * p.error, q.value + t * q.error) - y));
      }
      return { value: y, error: moved + error(p.value, q.value, y) };
    });
    const slopes = [a, b].map((x) => [x, new Float64Array(x.data.length)] as const);
    if (slope !== exact) {
      for (let k = 0; k < result.data.length; k++) {
        const i = coordinates(shape, k);
        const [p, q] = pairs(i);
        for (const [x, list] of slopes) {
          const place = stretchedOffset(x, i);
          list[place] = (list[place] as number) + slope(p.value, q.value, result.data[k] as number);
        }
      }
    }
    return { ...result, slopes: new Map(slopes) };
  };
}

/** `pow`: integer exponents multiply, |b| - 1 times in effect, then divide where b is negative; others are exp2(b log2(a)). */
function powUlps(a: number, b: number): number {
  const wholeUntil = 128;
  if (Number.isInteger(b) && Math.abs(b) <= wholeUntil) return Math.abs(b) / 2 + (b < 0 ? 2.5 : 0);
  const [log, size] = [Math.abs(Math.log2(Math.abs(a))), Math.abs(a)];
  // WGSL: log2 has 2^-21 within 0.5..2, beyond it 3 ulp; exp2 has 3 + 2 |exponent|, whose own rounding counts ln 2 times.
  const logUlps = size >= 0.5 && size <= 2 ? 4 : 3 * log;
  return 3 + 2 * Math.abs(b) * log + Math.LN2 * Math.abs(b) * (logUlps + log / 2);
}

// Of a power's derivatives, b a^(b - 1) has a power again, and y log(a) the power and the logarithm.
function powSlope(a: number, b: number, y: number): number {
  const byBase = (powUlps(a, b - 1) + 1) * Math.abs(b * (a === 0 ? 0 : y / a));
  const byExponent = y === 0 ? 0 : (powUlps(a, b) + 3) * Math.abs(y * Math.log(Math.abs(a))) + 4 * Math.abs(y);
  return ulps(1, byBase + byExponent);
}

export const add: Binary = binary((a, b) => a + b, relative(0.5));
export const sub: Binary = binary((a, b) => a - b, relative(0.5));
export const mul: Binary = binary((a, b) => a * b, relative(0.5));
export const div: Binary = binary(
  (a, b) => a / b,
  relative(2.5),
  (a, b) => ulps(5, 1 / b) + ulps(5, a / (b * b)),
);
export const pow: Binary = binary(Math.pow, (a, b, y) => ulps(powUlps(a, b), y), powSlope);
// arctangent of a quotient: 6 + 2.5 ulp, and a difference.
export const atan2: Binary = binary(Math.atan2, relative(9), (a, b) =>
  ulps(6, (Math.abs(a) + Math.abs(b)) / (a * a + b * b)),
);
export const fmod: Binary = binary((a, b) => a % b, exact);
export const remainder: Binary = binary((a, b) => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}, relative(0.5));
export const maximum: Binary = binary(Math.max, exact);
export const minimum: Binary = binary(Math.min, exact);
export const eq: Binary = binary((a, b) => Number(a === b), exact);
export const ne: Binary = binary((a, b) => Number(a !== b), exact);
export const lt: Binary = binary((a, b) => Number(a < b), exact);
export const le: Binary = binary((a, b) => Number(a <= b), exact);
export const gt: Binary = binary((a, b) => Number(a > b), exact);
export const ge: Binary = binary((a, b) => Number(a >= b), exact);
export const logicalAnd: Binary = binary((a, b) => Number(a !== 0 && b !== 0), exact);
export const logicalOr: Binary = binary((a, b) => Number(a !== 0 || b !== 0), exact);
export const logicalXor: Binary = binary((a, b) => Number((a !== 0) !== (b !== 0)), exact);
