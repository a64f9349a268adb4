// What references compute on: float64 values with a shape, walked by index. Everything here is meant to be believed at sight.

/** Values in row-major order. Booleans are 0 and 1. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Values from numbers in row-major order. */
export function values(shape: readonly number[], data: ArrayLike<number>): Values {
  return { shape, data: Float64Array.from(data) };
}

/** The number of elements of a shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Values given by a function of the coordinates. */
export function build(shape: readonly number[], value: (at: readonly number[]) => number): Values {
  const data = new Float64Array(count(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(coordinates(shape, i));
  return { shape, data };
}

/** The coordinates of the i-th element in row-major order. */
export function coordinates(shape: readonly number[], i: number): number[] {
  const at = new Array<number>(shape.length);
  let rest = i;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    const size = shape[dim] as number;
    at[dim] = rest % size;
    rest = Math.floor(rest / size);
  }
  return at;
}

/** The element at coordinates that lie inside the shape. */
export function at(x: Values, position: readonly number[]): number {
  let i = 0;
  for (let dim = 0; dim < x.shape.length; dim++) i = i * (x.shape[dim] as number) + (position[dim] as number);
  return x.data[i] as number;
}

/** The element at coordinates of a larger shape that x is stretched to: sizes of 1 and missing leading dimensions repeat. */
export function stretchedAt(x: Values, position: readonly number[]): number {
  const lead = position.length - x.shape.length;
  return at(
    x,
    x.shape.map((size, dim) => (size === 1 ? 0 : (position[dim + lead] as number))),
  );
}

/** The shape that both stretch to. */
export function stretchedShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const size = (shape: readonly number[], dim: number): number => shape[dim - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, dim) => Math.max(size(a, dim), size(b, dim)));
}
