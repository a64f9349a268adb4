// What of @mien/fer needs Node: files, figures, run folders.
export { readCkPlus, readFaces, readFer2013, readFerPlus, writeFer2013 } from './datasets/files.ts';
export { readHdf5, writeHdf5 } from './datasets/hdf5.ts';
export { readTree } from './datasets/tree.ts';
export { checkThoroughly, type OperationReport, type ThoroughOptions, type ThoroughReport } from './doctor/thorough.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { type Cells, confusionMatrix } from './figures/confusionMatrix.ts';
export { contactSheet, type SheetSection } from './figures/contactSheet.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { predictionFigure } from './figures/prediction.ts';
export { profileFigure } from './figures/profile.ts';
export { type ReliabilityPanel, reliabilityDiagram } from './figures/reliabilityDiagram.ts';
export { type ComparedRun, runComparison } from './figures/runComparison.ts';
export { type Decoded, decodePhoto } from './photos/decode.ts';
export { type AuditOptions, type AuditReport, audit, auditFaces, type Shared } from './run/audit.ts';
export { curves } from './run/curves.ts';
export { type DoctorOptions, type DoctorReport, doctor } from './run/doctor.ts';
export {
  type CalibrationReport,
  type EvaluateOptions,
  type EvaluationReport,
  evaluate,
  type Member,
} from './run/evaluate.ts';
export type { EpochMetrics, RunEvent, Summary } from './run/events.ts';
export { type ExplainedFace, type ExplainOptions, type ExplainReport, explain } from './run/explain.ts';
export { type ExportOptions, type ExportReport, exportWeights, type Figures } from './run/export.ts';
export { exportPytorch, type PytorchExportOptions, type PytorchExportReport } from './run/exportPytorch.ts';
export { type Confusions, confusionFigure, readEvaluation, writeConfusion, writePicture } from './run/figures.ts';
export { type ImportOptions, type ImportReport, importWeights } from './run/import.ts';
export {
  type FoldEvent,
  type FoldResult,
  type KFoldOptions,
  type KFoldReport,
  kfold,
  type SeedResult,
} from './run/kfold.ts';
export { type ListedTensor, listPytorch, type PytorchListing } from './run/listing.ts';
export { meaningOf } from './run/meaning.ts';
export { type ModelsReport, models, type ShippedModel } from './run/models.ts';
export { type Pooled, type PoolPart, poolFolds } from './run/pooling.ts';
export {
  type PhotoFace,
  type PhotoReport,
  type PredictOptions,
  type PredictReport,
  predict,
  predictPhoto,
  type ReaderOptions,
} from './run/predict.ts';
export { type PrepareOptions, type PrepareReport, prepare, type SplitCounts } from './run/prepare.ts';
export { type ProfileOptions, type ProfileReport, profileTraining } from './run/profile.ts';
export { type Repeat, repeatOf } from './run/repeat.ts';
export { type ReportOptions, report } from './run/report.ts';
export { type TrainOptions, train } from './run/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './run/tune.ts';
export { type VideoFace, type VideoMoment, type VideoOptions, type VideoReport, video } from './run/video.ts';
