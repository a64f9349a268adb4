// The part of @mien/fer that needs Node: files, figures, run folders, and the commands as functions.
export { type AuditOptions, type AuditReport, audit, auditFaces, type Shared } from './commands/audit/audit.ts';
export { contactSheet, type SheetSection } from './commands/audit/contactSheet.ts';
export { curves } from './commands/curves/curves.ts';
export { type ComparedRun, runComparison } from './commands/curves/runComparison.ts';
export { type DoctorOptions, type DoctorReport, doctor } from './commands/doctor.ts';
export { type Confusions, confusionFigure, readEvaluation, writeConfusion } from './commands/evaluate/confusions.ts';
export { type EvaluateOptions, evaluate } from './commands/evaluate/evaluate.ts';
export { meaningOf } from './commands/evaluate/meaning.ts';
export type { CalibrationReport, EvaluationReport, Member } from './commands/evaluate/report.ts';
export { type ExplainedFace, type ExplainOptions, type ExplainReport, explain } from './commands/explain/explain.ts';
export { type ExportOptions, type ExportReport, exportWeights, type Figures } from './commands/export/export.ts';
export { exportPytorch, type PytorchExportOptions, type PytorchExportReport } from './commands/export/pytorch.ts';
export { type ImportOptions, type ImportReport, importWeights } from './commands/import/import.ts';
export { type ListedTensor, listPytorch, type PytorchListing } from './commands/import/listing.ts';
export {
  type FoldResult,
  type KFoldOptions,
  type KFoldReport,
  kfold,
  type SeedResult,
} from './commands/kfold/kfold.ts';
export { type Pooled, type PoolPart, poolFolds } from './commands/kfold/pooling.ts';
export { type ModelsReport, models, type ShippedModel } from './commands/models.ts';
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
export { type PrepareOptions, type PrepareReport, prepare } from './commands/prepare.ts';
export { profileFigure } from './commands/profile/figure.ts';
export { type ProfileOptions, profileTraining } from './commands/profile/profile.ts';
export type { ProfileReport } from './commands/profile/report.ts';
export { type ReliabilityPanel, reliabilityDiagram } from './commands/report/reliabilityDiagram.ts';
export { type Repeat, repeatOf } from './commands/report/repeat.ts';
export { type ReportOptions, report } from './commands/report/report.ts';
export { type TrainOptions, train } from './commands/train/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './commands/tune.ts';
export type { VideoFace, VideoMoment, VideoReport } from './commands/video/report.ts';
export { type VideoOptions, video } from './commands/video/video.ts';
export type { SplitCounts } from './datasets/counts.ts';
export { readCkPlus } from './datasets/readers/ckplus.ts';
export { readFer2013, readFerPlus, writeFer2013 } from './datasets/readers/fer2013.ts';
export { readHdf5, writeHdf5 } from './datasets/readers/hdf5.ts';
export { readTree } from './datasets/readers/imageTree.ts';
export { readFaces } from './datasets/readers/readers.ts';
export { checkThoroughly, type OperationReport, type ThoroughOptions, type ThoroughReport } from './doctor/thorough.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { type Cells, confusionMatrix } from './figures/confusionMatrix.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { writePicture } from './figures/picture.ts';
export { type Decoded, decodePhoto } from './photos/decode.ts';
export type { EpochMetrics, FoldEvent, RunEvent, Summary } from './runs/events.ts';
