// What of @mien/fer needs Node: files, figures, run folders.
export { readCkPlus, readFaces, readFer2013, writeFer2013 } from './datasets/files.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { confusionMatrix } from './figures/confusionMatrix.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { predictionFigure } from './figures/prediction.ts';
export { profileFigure } from './figures/profile.ts';
export { type Decoded, decodePhoto } from './photos/decode.ts';
export { type EvaluateOptions, type EvaluationReport, evaluate } from './run/evaluate.ts';
export type { EpochMetrics, RunEvent, Summary } from './run/events.ts';
export { type ExplainedFace, type ExplainOptions, type ExplainReport, explain } from './run/explain.ts';
export {
  type PhotoFace,
  type PhotoReport,
  type PredictOptions,
  type PredictReport,
  predict,
  predictPhoto,
  type ReaderOptions,
} from './run/predict.ts';
export { type ProfileOptions, type ProfileReport, profileTraining } from './run/profile.ts';
export { type TrainOptions, train } from './run/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './run/tune.ts';
export { type VideoFace, type VideoMoment, type VideoOptions, type VideoReport, video } from './run/video.ts';
