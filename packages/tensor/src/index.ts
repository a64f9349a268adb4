// The public face of @mien/tensor. What is a method of Tensor is not exported as a function too.
export { detectAnomaly } from './anomaly.ts';
export type { AdapterFacts } from './device/open.ts';
export { type BackwardOptions, grad, gradEnabled, type Gradients, noGrad, record, type Rule } from './autograd.ts';
export type { DType, TypedArray } from './dtype.ts';
export * from './errors.ts';
export { type CreateOptions, arange, eye, full, linspace, type Nested, ones, tensor, zeros } from './ops/create.ts';
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from './generator.ts';
export { embedding, gather, oneHot } from './ops/gather.ts';
export { bernoulli, dropout, type DropoutOptions, permutation, rand, randn, randomBits, type RandomOptions } from './ops/random.ts';
export { cat, pad, stack } from './ops/shape.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { clamp, type ClampOptions, gelu, leakyRelu } from './ops/unary.ts';
export { where } from './ops/where.ts';
export { Device, device, init, type InitOptions, memory, type MemoryReport } from './runtime/device.ts';
export { type Kernel, kernel } from './runtime/kernel.ts';
export { run } from './runtime/run.ts';
export { collectedTensors, keep, scope } from './runtime/scope.ts';
export { assign, empty, type NestedNumbers, Tensor } from './tensor.ts';
