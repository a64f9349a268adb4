// Laws of functions of one tensor, element by element: values, NaN and both derivatives.
import type { Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import {
  ensure,
  gradcheck,
  gradgradcheck,
  near,
  offKinks,
  shapes,
  toTensor,
  type ValueOptions,
  valuesOf,
} from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

type Name = {
  [K in keyof Tensor & keyof typeof reference]: Tensor[K] extends (...args: infer A) => Tensor
    ? A extends []
      ? K
      : never
    : never;
}[keyof Tensor & keyof typeof reference];

/** A function with a range in its domain, its kinks, and the range in which second differences are precise, if smaller. */
export interface Row {
  readonly range: ValueOptions;
  readonly kinks?: readonly number[];
  readonly curved?: ValueOptions;
  /** The derivative is 0 everywhere: there is no second one. */
  readonly flat?: boolean;
}

/** Registers the laws of each function. */
export function elementwiseLaws(rows: Readonly<Partial<Record<Name, Row>>>): void {
  for (const name of Object.keys(rows) as Name[]) {
    const { range, kinks = [], curved = range, flat = false } = rows[name] as Row;
    law(
      `${name} equals its reference`,
      shapes().chain((shape) => valuesOf(shape, range)),
      async (x) => {
        await near(toTensor(x)[name](), reference[name](x));
      },
    );
    law(
      `${name} is NaN where its argument is, and nowhere else`,
      fc.record({ x: valuesOf([191], range), places: fc.array(fc.nat(190), { minLength: 1, maxLength: 5 }) }),
      async ({ x, places }) => {
        const data = x.data.map((v, i) => (places.includes(i) ? Number.NaN : v));
        const y = await toTensor({ ...x, data })
          [name]()
          .data();
        for (const [i, v] of y.entries()) ensure(Number.isNaN(v) === places.includes(i), `element ${i} is ${v}`);
      },
    );
    law(
      `the gradient of ${name} is the derivative of its reference`,
      shapes({ maxRank: 2, maxSize: 300 }).chain((shape) => offKinks(valuesOf(shape, range), kinks)),
      (x) => gradcheck((v) => v[name](), reference[name], [x]),
    );
    if (flat) continue;
    law(
      `the second derivative of ${name} is that of its reference`,
      offKinks(valuesOf([5], curved), kinks),
      (x) => gradgradcheck((v) => v[name](), reference[name], [x]),
      { runs: 8 },
    );
  }
}
