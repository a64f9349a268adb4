// What of @mien/fer needs Node: files, figures, run folders.
export { readCkPlus, readFaces, readFer2013, writeFer2013 } from './datasets/files.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { confusionMatrix } from './figures/confusionMatrix.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { profileFigure } from './figures/profile.ts';
export { type EvaluateOptions, type EvaluationReport, evaluate } from './run/evaluate.ts';
export type { EpochMetrics, RunEvent, Summary } from './run/events.ts';
export { type ExportOptions, type ExportReport, exportPytorch } from './run/export.ts';
export { type ImportOptions, type ImportReport, importWeights } from './run/import.ts';
export { type ListedTensor, listPytorch, type PytorchListing } from './run/listing.ts';
export { type ProfileOptions, type ProfileReport, profileTraining } from './run/profile.ts';
export { type TrainOptions, train } from './run/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './run/tune.ts';
