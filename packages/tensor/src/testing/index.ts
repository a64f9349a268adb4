// The kit for proving kernels: laws over generated cases, derived tolerances, gradients against float64 differences.

export { keptNames, readKept, writeKept } from '#kept';
export { openDevice } from '../device/open.ts';
export { startCheck } from '../device/start/check.ts';
export { broadcastShapes, broadcastStrides, collapse } from '../ops/geometry.ts';
export {
  alternatives,
  alternativesOf,
  lackOf,
  operationsWithAlternatives,
  withAlternative,
} from '../runtime/alternatives.ts';
export { type Dispatch, withDispatches } from '../runtime/dispatches.ts';
export { kernels, type TextEdit } from '../runtime/kernel.ts';
export { isNarrow, type Limits, limitsOf } from '../runtime/limits.ts';
export { planBuffers } from '../runtime/plan.ts';
export { gridOf } from '../runtime/run.ts';
export { splitRows } from '../runtime/split.ts';
export { paramLayout, specialize } from '../runtime/wgsl.ts';
export { gradcheck, gradgradcheck } from './gradcheck.ts';
export { withKernelText } from './kernelText.ts';
export { type Law, type LawCases, LawError, type LawOptions, type LawReport, law, refuses } from './law.ts';
export { withFailingAllocations, withLimits } from './limits.ts';
export { ensure, Mismatch } from './mismatch.ts';
export { near, nearValues } from './near.ts';
export { randomSigns, toTensor } from './tensors.ts';
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
