// The public API of @mien/nn. File formats have subpaths: safetensors, checkpoint, pytorch and, in Node, files.
export { type Collated, defaultCollate } from './data/collate.ts';
export { ArrayDataset, type Dataset, stackRows } from './data/dataset.ts';
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './data/loader.ts';
export { FormatError, StateError } from './errors.ts';
export {
  calculateGain,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  type Nonlinearity,
  normal,
  uniform,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from './init.ts';
export type { FusedForward, Layer } from './layer.ts';
export { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from './layers/activation.ts';
export {
  type AttentionForwardOptions,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from './layers/attention.ts';
export { Flatten, Identity, Sequential, Unflatten } from './layers/containers.ts';
export {
  Conv2d,
  type Conv2dLayerOptions,
  ConvTranspose2d,
  type ConvTranspose2dLayerOptions,
} from './layers/conv.ts';
export { Dropout } from './layers/dropout.ts';
export { Embedding, type EmbeddingLayerOptions } from './layers/embedding.ts';
export {
  LayerNorm,
  type LayerNormLayerOptions,
  RMSNorm,
  type RMSNormLayerOptions,
} from './layers/layerNorm.ts';
export { Linear, type LinearOptions } from './layers/linear.ts';
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './layers/norm.ts';
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from './layers/pool.ts';
export {
  type BinaryLossOptions,
  binaryCrossEntropyWithLogits,
  type ClassLossOptions,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberOptions,
  huberLoss,
  type KLDivOptions,
  klDiv,
  type LossOptions,
  l1Loss,
  mseLoss,
  nllLoss,
  type Reduction,
  type SmoothL1Options,
  smoothL1Loss,
} from './losses.ts';
export { buffer, Module, type NamedTensor, parameter } from './module.ts';
export { Adam, type AdamOptions, AdamW } from './optim/adam.ts';
export {
  type Clip,
  type ClipArguments,
  clipGradientNorm,
  clipGradientValue,
  clipGradNorm,
  clipGradValue,
} from './optim/clip.ts';
export { EMA, type EMAOptions } from './optim/ema.ts';
export {
  Optimizer,
  type OptimizerParameters,
  type ParamGroup,
  type ParamGroupOptions,
  type Updates,
} from './optim/optimizer.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';
export type { SlotBindings } from './optim/slots.ts';
export {
  cosine,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  multiStepLR,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  type ReduceLROnPlateauState,
  type Schedule,
  stepLR,
  warmUp,
} from './schedulers.ts';
export { type HostTensor, type State, type StoredDtype, toHost } from './state.ts';
