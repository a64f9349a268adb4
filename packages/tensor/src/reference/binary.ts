import { build, stretchedAt, stretchedShape, type Values } from './values.ts';

type Binary = (a: Values, b: Values) => Values;

function binary(f: (a: number, b: number) => number): Binary {
  return (a, b) => build(stretchedShape(a.shape, b.shape), (i) => f(stretchedAt(a, i), stretchedAt(b, i)));
}

export const add: Binary = binary((a, b) => a + b);
export const sub: Binary = binary((a, b) => a - b);
export const mul: Binary = binary((a, b) => a * b);
export const div: Binary = binary((a, b) => a / b);
export const pow: Binary = binary(Math.pow);
export const maximum: Binary = binary(Math.max);
export const minimum: Binary = binary(Math.min);
export const eq: Binary = binary((a, b) => Number(a === b));
export const ne: Binary = binary((a, b) => Number(a !== b));
export const lt: Binary = binary((a, b) => Number(a < b));
export const le: Binary = binary((a, b) => Number(a <= b));
export const gt: Binary = binary((a, b) => Number(a > b));
export const ge: Binary = binary((a, b) => Number(a >= b));
export const logicalAnd: Binary = binary((a, b) => Number(a !== 0 && b !== 0));
export const logicalOr: Binary = binary((a, b) => Number(a !== 0 || b !== 0));
export const logicalXor: Binary = binary((a, b) => Number((a !== 0) !== (b !== 0)));
