// What of @mien/fer needs Node: files, figures, run folders.

export { type AuditOptions, type AuditReport, audit, auditFaces, type Shared } from './commands/audit/audit.ts';
export { contactSheet, type SheetSection } from './commands/audit/contactSheet.ts';
export { curves } from './commands/curves/curves.ts';
export { type ComparedRun, runComparison } from './commands/curves/runComparison.ts';
export { type DoctorOptions, type DoctorReport, doctor } from './commands/doctor/doctor.ts';
export {
  type Confusions,
  confusionFigure,
  readEvaluation,
  writeConfusion,
  writePicture,
} from './commands/evaluate/confusions.ts';
export {
  type CalibrationReport,
  type EvaluateOptions,
  type EvaluationReport,
  evaluate,
  type Member,
} from './commands/evaluate/evaluate.ts';
export { meaningOf } from './commands/evaluate/meaning.ts';
export { type ExplainedFace, type ExplainOptions, type ExplainReport, explain } from './commands/explain/explain.ts';
export { type ExportOptions, type ExportReport, exportWeights, type Figures } from './commands/export/export.ts';
export { exportPytorch, type PytorchExportOptions, type PytorchExportReport } from './commands/export/pytorch.ts';
export { type ImportOptions, type ImportReport, importWeights } from './commands/import/import.ts';
export { type ListedTensor, listPytorch, type PytorchListing } from './commands/import/listing.ts';
export {
  type FoldEvent,
  type FoldResult,
  type KFoldOptions,
  type KFoldReport,
  kfold,
  type SeedResult,
} from './commands/kfold/kfold.ts';
export { type Pooled, type PoolPart, poolFolds } from './commands/kfold/pooling.ts';
export { type ModelsReport, models, type ShippedModel } from './commands/models/models.ts';
export { predictionFigure } from './commands/predict/figure.ts';
export {
  type PhotoFace,
  type PhotoReport,
  type PredictOptions,
  type PredictReport,
  predict,
  predictPhoto,
  type ReaderOptions,
} from './commands/predict/predict.ts';
export { type PrepareOptions, type PrepareReport, prepare, type SplitCounts } from './commands/prepare/prepare.ts';
export { profileFigure } from './commands/profile/figure.ts';
export { type ProfileOptions, type ProfileReport, profileTraining } from './commands/profile/profile.ts';
export { type ReliabilityPanel, reliabilityDiagram } from './commands/report/reliabilityDiagram.ts';
export { type Repeat, repeatOf } from './commands/report/repeat.ts';
export { type ReportOptions, report } from './commands/report/report.ts';
export { type TrainOptions, train } from './commands/train/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './commands/tune/tune.ts';
export {
  type VideoFace,
  type VideoMoment,
  type VideoOptions,
  type VideoReport,
  video,
} from './commands/video/video.ts';
export { readCkPlus, readFaces, readFer2013, readFerPlus, writeFer2013 } from './datasets/files.ts';
export { readHdf5, writeHdf5 } from './datasets/hdf5.ts';
export { readTree } from './datasets/tree.ts';
export { checkThoroughly, type OperationReport, type ThoroughOptions, type ThoroughReport } from './doctor/thorough.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { type Cells, confusionMatrix } from './figures/confusionMatrix.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { type Decoded, decodePhoto } from './photos/decode.ts';
export type { EpochMetrics, RunEvent, Summary } from './runs/events.ts';
