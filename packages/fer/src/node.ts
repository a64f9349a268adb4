// What of @mien/fer needs Node: files, figures, run folders.
export { readCkPlus, readFaces, readFer2013, readFerPlus, writeFer2013 } from './datasets/files.ts';
export { readHdf5, writeHdf5 } from './datasets/hdf5.ts';
export { readTree } from './datasets/tree.ts';
export { type Bar, type BarGroup, bars } from './figures/bars.ts';
export { confusionMatrix } from './figures/confusionMatrix.ts';
export { contactSheet, type SheetSection } from './figures/contactSheet.ts';
export { type CurvePoint, learningCurve } from './figures/learningCurve.ts';
export { png } from './figures/lettering.ts';
export { profileFigure } from './figures/profile.ts';
export { type AuditOptions, type AuditReport, audit, auditFaces, type Shared } from './run/audit.ts';
export { type EvaluateOptions, type EvaluationReport, evaluate } from './run/evaluate.ts';
export type { EpochMetrics, RunEvent, Summary } from './run/events.ts';
export { type PrepareOptions, type PrepareReport, prepare, type SplitCounts } from './run/prepare.ts';
export { type ProfileOptions, type ProfileReport, profileTraining } from './run/profile.ts';
export { type TrainOptions, train } from './run/train.ts';
export { type TuneReport, type TuneTrainingOptions, tuneTraining } from './run/tune.ts';
