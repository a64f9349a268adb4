// Definitions of the operations in float64: index loops, forward only, without imports from the rest of Mien.
export * from './binary.ts';
export { productError, sumError, summed, Total, total, ulps, within } from './bounds.ts';
export * from './cast.ts';
export * from './conv.ts';
export * from './create.ts';
export * from './crossEntropy.ts';
export * from './gather.ts';
export * from './matmul.ts';
export * from './norm.ts';
export * from './pool.ts';
export * from './random.ts';
export * from './reduce.ts';
export * from './shape.ts';
export * from './softmax.ts';
export * from './unary.ts';
export { at, build, coordinates, count, type Element, elementAt, type Values, values } from './values.ts';
export * from './where.ts';
