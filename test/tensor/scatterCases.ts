// Cases of operations that write and add at indices, and their laws, for few and for many indices.
import type { Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';

type Values = reference.Values;

export const int32 = (values: Values): Tensor => toTensor(values, { dtype: 'int32' });

export const indicesOf = (shape: readonly number[], length: number): fc.Arbitrary<Values> =>
  valuesOf(shape, { min: 0, max: length - 1, integer: true });

/** x and src with an index along a dimension of x. */
export const scatterCase = (shape: readonly number[], dim: number, count: number) => {
  const source = shape.with(dim, count);
  return fc.record({
    x: valuesOf(shape),
    dim: fc.constant(dim),
    src: valuesOf(source),
    index: indicesOf(source, shape[dim] as number),
    list: indicesOf([count], shape[dim] as number),
  });
};

export interface ScatterCase {
  readonly x: Values;
  readonly dim: number;
  readonly src: Values;
  readonly index: Values;
  readonly list: Values;
}

export async function scatterIsRight({ x, dim, src, index }: ScatterCase): Promise<void> {
  const at = int32(index);
  await near(toTensor(x).scatter(dim, at, toTensor(src)), reference.scatter(x, dim, index, src));
  await gradcheck(
    (v, s) => v.scatter(dim, at, s),
    (v, s) => reference.scatter(v, dim, index, s),
    [x, src],
  );
}

export async function scatterAddIsRight({ x, dim, src, index }: ScatterCase): Promise<void> {
  const at = int32(index);
  await near(toTensor(x).scatterAdd(dim, at, toTensor(src)), reference.scatterAdd(x, dim, index, src));
  await gradcheck(
    (v, s) => v.scatterAdd(dim, at, s),
    (v, s) => reference.scatterAdd(v, dim, index, s),
    [x, src],
  );
}

export async function indexAddIsRight({ x, dim, src, list }: ScatterCase): Promise<void> {
  const at = int32(list);
  await near(toTensor(x).indexAdd(dim, at, toTensor(src)), reference.indexAdd(x, dim, list, src));
  await gradcheck(
    (v, s) => v.indexAdd(dim, at, s),
    (v, s) => reference.indexAdd(v, dim, list, s),
    [x, src],
  );
}
