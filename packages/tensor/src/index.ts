// The public face of @mien/tensor. What is a method of Tensor is not exported as a function too.
export { type AnomalyOptions, detectAnomaly, inspect } from './anomaly.ts';
export { checkpoint, gradEnabled, noGrad, recomputing, record } from './autograd.ts';
export { type Capture, type CaptureOptions, capture } from './capture.ts';
export { type AdapterReport, type Examination, examineAdapters } from './device/examine.ts';
export type { AdapterFacts } from './device/open.ts';
export type { DType, TypedArray } from './dtype.ts';
export * from './errors.ts';
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from './generator.ts';
export { type GradOptions, grad } from './grad.ts';
export type { BackwardOptions } from './graph/backward.ts';
export type { Gradients, Rule } from './graph/rule.ts';
export type { IndexRange, TensorIndex } from './ops/at.ts';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.ts';
export { conv2d, convTranspose2d } from './ops/conv.ts';
export { convBatchNorm2d } from './ops/convBatchNorm.ts';
export type { Conv2dOptions, ConvTranspose2dOptions } from './ops/convGeometry.ts';
export { arange, type CreateOptions, eye, full, linspace, type Nested, ones, tensor, zeros } from './ops/create.ts';
export { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from './ops/crossEntropy.ts';
export type { BatchNormParameters, Epilogue } from './ops/epilogue.ts';
export { type NanToNumOptions, nanToNum } from './ops/finite.ts';
export { type EmbeddingOptions, embedding, gather, oneHot } from './ops/gather.ts';
export type { Size2d } from './ops/geometry.ts';
export { type LayerNormOptions, layerNorm, type RmsNormOptions, rmsNorm } from './ops/layerNorm.ts';
export { linear } from './ops/matmul.ts';
export {
  getFloat32MatmulPrecision,
  type MatmulPrecision,
  setFloat32MatmulPrecision,
} from './ops/matmulPrecision.ts';
export { batchNorm } from './ops/norm.ts';
export {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
} from './ops/pool.ts';
export {
  bernoulli,
  type DropoutOptions,
  dropout,
  type RandomOptions,
  rand,
  randn,
  randomBits,
  randperm,
} from './ops/random.ts';
export { cat, stack } from './ops/shape.ts';
export { type PadMode, pad } from './ops/shapePad.ts';
export { meshgrid } from './ops/shapeParts.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { type AddcmulOptions, addcmul } from './ops/ternary.ts';
export { type ClampOptions, clamp, gelu, leakyRelu } from './ops/unary.ts';
export { where } from './ops/where.ts';
export { device, type InitOptions, init, memory, warmUp } from './runtime/defaultDevice.ts';
export { type Kernel, kernel } from './runtime/kernel.ts';
export type { Limits } from './runtime/limits.ts';
export { type Live, live, unchanging } from './runtime/live.ts';
export { measurePeak, type Peak } from './runtime/peak.ts';
export { chromeTrace, type Profile, type ProfileRow, profile, profileRows } from './runtime/profile.ts';
export type { Device, MemoryReport } from './runtime/publicDevice.ts';
export { run } from './runtime/run.ts';
export { collectedTensors, keep, scope } from './runtime/scope.ts';
export type { ProfileSpan } from './runtime/timer.ts';
export { type TuneOptions, type TuneResult, tune, tuning } from './runtime/tuner.ts';
export { deleteTuned, listTuned, type Tuned, type TunedAdapter } from './runtime/tunerStore.ts';
export type { Work } from './runtime/work.ts';
export { assign, empty, Tensor } from './tensor.ts';
