// The data of references: float64 values with a shape, accessed by index. Kept simple enough to be obviously correct.

/** Values in row-major order. Booleans are 0 and 1. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** The error bound of each element of a float32 result: see `bounds.ts`. Absent in inputs, which are exact. */
  readonly error?: Float64Array;
  /** The error bounds of the gradient by an input, element by element, beyond the rounding of a sum of its terms. */
  readonly slopes?: ReadonlyMap<Values, Float64Array>;
}

/** A value with the error bound of a float32 result. */
export interface Element {
  readonly value: number;
  readonly error: number;
}

/** Values from numbers in row-major order. */
export function values(shape: readonly number[], data: ArrayLike<number>): Values {
  return { shape, data: Float64Array.from(data) };
}

/** One number for height and width, or both. */
export type Size2d = number | readonly [height: number, width: number];

/** Height and width. */
export function pair(size: Size2d): readonly [number, number] {
  return typeof size === 'number' ? [size, size] : size;
}

/** The number of elements of a shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Values given by a function of the coordinates; a number is exact. */
export function build(shape: readonly number[], element: (at: readonly number[]) => number | Element): Values {
  const [data, error] = [new Float64Array(count(shape)), new Float64Array(count(shape))];
  for (let i = 0; i < data.length; i++) {
    const result = element(coordinates(shape, i));
    data[i] = typeof result === 'number' ? result : result.value;
    error[i] = typeof result === 'number' ? 0 : result.error;
  }
  return { shape, data, error };
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

/** The element at coordinates inside the shape. */
export function at(x: Values, position: readonly number[]): number {
  return x.data[offset(x, position)] as number;
}

/** The element at coordinates with its error. */
export function elementAt(x: Values, position: readonly number[]): Element {
  const i = offset(x, position);
  return { value: x.data[i] as number, error: x.error?.[i] ?? 0 };
}

function offset(x: Values, position: readonly number[]): number {
  let i = 0;
  for (let dim = 0; dim < x.shape.length; dim++) i = i * (x.shape[dim] as number) + (position[dim] as number);
  return i;
}

/** The element at coordinates of a shape that x is broadcast to. */
export function stretchedAt(x: Values, position: readonly number[]): Element {
  const i = stretchedOffset(x, position);
  return { value: x.data[i] as number, error: x.error?.[i] ?? 0 };
}

/** Its index in row-major order. */
export function stretchedOffset(x: Values, position: readonly number[]): number {
  const lead = position.length - x.shape.length;
  return offset(
    x,
    x.shape.map((size, dim) => (size === 1 ? 0 : (position[dim + lead] as number))),
  );
}

/** The shape that both broadcast to. */
export function stretchedShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const size = (shape: readonly number[], dim: number): number => shape[dim - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, dim) => Math.max(size(a, dim), size(b, dim)));
}
