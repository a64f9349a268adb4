// What @mien/nn, @mien/fer and the tests of this repository use besides the public functions. Private: any release may
// change or remove it. It is packed because @mien/nn imports it.

export { readText, storedNames, writeText } from '#store';
export { searching } from './anomaly.ts';
export {
  checkedOptions,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectList,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectPair,
  expectTensor,
  kindOf,
  optionNames,
} from './arguments.ts';
export { openDevice } from './device/open.ts';
export { startCheck } from './device/start/check.ts';
export { attention } from './ops/attention.ts';
export { expectConvolution } from './ops/convGeometry.ts';
export { paddingRow } from './ops/gather.ts';
export { broadcastShapes } from './ops/geometry.ts';
export { poolWindows } from './ops/pool.ts';
export { currentPlace, type Place, within } from './places.ts';
export {
  algorithmsOf,
  declareAlgorithms,
  lackOf,
  operationsWithAlgorithms,
  withAlgorithm,
} from './runtime/algorithms.ts';
export { currentDevice } from './runtime/defaultDevice.ts';
export { type Dispatch, withDispatches } from './runtime/dispatches.ts';
export { kernels, type TextEdit } from './runtime/kernel.ts';
export { isNarrow } from './runtime/limits.ts';
export { deviceOf, type Memory, memoryRange, storageOf } from './runtime/memoryRange.ts';
export { planBuffers } from './runtime/plan.ts';
export { gridOf } from './runtime/run.ts';
export { openScope } from './runtime/scope.ts';
export { part, splitRows } from './runtime/split.ts';
export type { Elapsed } from './runtime/stopwatch.ts';
export type { Storage } from './runtime/storage.ts';
export { gradOf, isLeaf, leafOf, producerOf, setGrad, viewOf } from './runtime/tensorBase.ts';
export { paramLayout, specialize } from './runtime/wgsl.ts';
export { withNewSession } from './session.ts';
export { tensorOver } from './tensor.ts';
export { gradcheck } from './testing/gradcheck.ts';
export { withKernelText } from './testing/kernelText.ts';
export { withFailingAllocations, withLimits } from './testing/limits.ts';
export { ensure, Mismatch, takeWorstRatio } from './testing/mismatch.ts';
export { near } from './testing/near.ts';
export { random, randomSigns, toTensor } from './testing/tensors.ts';
