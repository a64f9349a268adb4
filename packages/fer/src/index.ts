// The public face of @mien/fer, for browsers and Node alike; what touches files is in @mien/fer/node.

export type { Augmentation, Distortion } from './augmentation.ts';
export {
  crossEntropyOf,
  ECE_BINS,
  fitMargin,
  fitTemperature,
  meanCrossEntropy,
  meanProbabilities,
  probabilities,
  type Reliability,
  type ReliabilityBin,
  reliability,
  type Scored,
} from './calibration.ts';
export { AFFECT_NET_CLASSES } from './datasets/affectnet.ts';
export { DATASETS, type DatasetName } from './datasets/catalog.ts';
export {
  CK_PLUS_CLASSES,
  CK_PLUS_COUNTS,
  CK_PLUS_FOLDS,
  ckPlusFold,
  ckPlusSequences,
  ckPlusSplits,
  ckPlusSubjects,
  folds,
  leaksOf,
} from './datasets/ckplus.ts';
export { FOLD_KINDS, type Fold, type FoldKind, type Leaks } from './datasets/dataset.ts';
export { type DrawnOptions, drawFaces } from './datasets/drawn.ts';
export { duplicatesOf, firstIdentical } from './datasets/duplicates.ts';
export { classCounts, count, type Faces, PIXELS, SIDE, type Split, split } from './datasets/faces.ts';
export { FER2013_CLASSES, FER2013_SPLITS, Fer2013Reader, fer2013Lines, parseFer2013 } from './datasets/fer2013.ts';
export {
  FER_PLUS_COLUMNS,
  type FerPlus,
  joinFerPlus,
  parseFerPlus,
  softTargets,
  withoutNotFaces,
} from './datasets/ferplus.ts';
export { groupFolds } from './datasets/folds.ts';
export { type NearPair, nearPairs } from './datasets/near.ts';
export { RAF_DB_CLASSES } from './datasets/rafdb.ts';
export { BlazeFace } from './detection/blazeFace.ts';
export { type Box, iou, nonMaxSuppression, squareAbout } from './detection/boxes.ts';
export {
  anchors,
  cropOf,
  type Detection,
  decodeFaces,
  detectFaces,
  LANDMARKS,
  mergeFaces,
  type Point,
} from './detection/detect.ts';
export { FaceTracker } from './detection/tracks.ts';
export { type Evaluation, type EvaluationOptions, evaluateNetwork, type Score } from './evaluation.ts';
export { cutNetwork, type Explanation, explainFace, gradCam } from './gradCam.ts';
export type { LrScheduleConfig } from './lrSchedule.ts';
export { type ClassScore, ConfusionMatrix, percent, wilson } from './metrics.ts';
export { createNetwork, MODELS, type ModelName } from './models/catalog.ts';
export { NanoNet, SmallNet } from './models/compact.ts';
export type { CutNetwork } from './models/cut.ts';
export type { NetworkOptions } from './models/options.ts';
export { BasicBlock, ResNet18, ResNet34 } from './models/resnet.ts';
export { VGG } from './models/vgg.ts';
export { grayBytes, type Photo, resample } from './photos/photo.ts';
export { ExpressionReader, type FaceReading, type Reading } from './prediction.ts';
export { type Moment, smooth } from './timeline.ts';
export { type ReadCheckpoint, readTraining } from './training/checkpoint.ts';
export { learningRate, PRESETS, type Preset, type TrainingConfig } from './training/config.ts';
export type { EpochProgress, Note, StepReport, TrainingOptions } from './training/options.ts';
export { trainingConfig } from './training/presets.ts';
export { Training } from './training/training.ts';
export { Cropper, type InputForm, inputSize, TEN, type View } from './transforms.ts';
