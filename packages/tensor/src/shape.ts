// Shapes: what tensors, operations and error messages share.

/** Sizes of the dimensions, from the outermost. */
export type Shape = readonly number[];

/** The number of elements: the product of the sizes. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[2, 3]`, for messages. */
export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
