// The kit for proving kernels: laws over generated cases, derived tolerances, gradients against float64 differences.
export { gradcheck, gradgradcheck } from './gradcheck.ts';
export { type Law, type LawCases, LawError, type LawOptions, type LawReport, law, refuses } from './law.ts';
export { ensure, Mismatch } from './mismatch.ts';
export { near, nearValues } from './near.ts';
export { toTensor } from './tensors.ts';
export { addLaw } from './uvu.ts';
export {
  broadcastPairs,
  distinctValuesOf,
  offKinks,
  type ShapeOptions,
  shapes,
  type ValueOptions,
  valuesOf,
} from './values.ts';
