// Evaluates one checkpoint, or several as an ensemble, on a split of real or drawn faces (Node only).
import { basename } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { init, ValueError } from '@mien/tensor';
import Papa from 'papaparse';
import {
  fitTemperature,
  meanCrossEntropy,
  meanProbabilities,
  probabilities,
  type ReliabilityBin,
  reliability,
  type Scored,
} from '../../calibration.ts';
import type { FoldKind } from '../../datasets/ckplus.ts';
import { duplicatesOf } from '../../datasets/duplicates.ts';
import type { Faces, Split } from '../../datasets/faces.ts';
import { type Evaluation, evaluateNetwork, labelsOf, matrixOf, type Score } from '../../evaluation.ts';
import type { ClassScore, ConfusionMatrix } from '../../metrics.ts';
import { viewsPerPass } from '../../models/catalog.ts';
import { type Interval, intervalOf } from '../../runs/accuracy.ts';
import { chooseSplit, obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { LAST, type ReadRun, readWeights } from '../../runs/folder.ts';
import { trainedNetwork } from '../../training/checkpoint.ts';
import type { DatasetName, ModelName } from '../../training/config.ts';
import { writeConfusion } from './confusions.ts';

/** What `evaluate` is told. */
export interface EvaluateOptions {
  /** `small`, `nano`, checkpoint files, or run folders whose last checkpoint is meant. Several make an ensemble: the mean of their probabilities. */
  readonly weights: string | readonly string[];
  /** As of `train`; by default the data that the (first) checkpoint was trained on. */
  readonly data?: string;
  /** Faces that are read already; goes before `data`. */
  readonly faces?: Faces;
  /** What the data must turn out to be. */
  readonly dataset?: DatasetName;
  /** Default: `public` of FER2013 and drawn faces, `test` of CK+. */
  readonly split?: 'training' | 'public' | 'private' | 'test';
  readonly fold?: number;
  /** How CK+ is cut into folds. Default: as the first checkpoint was trained. */
  readonly folds?: FoldKind;
  readonly crops?: 1 | 10;
  /** An SVG or PNG file for the confusion matrix. */
  readonly figure?: string;
  /** A CSV file with a line an image: index, label, predicted, and a probability for each class. */
  readonly predictions?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** One network of an evaluation. */
export interface Member {
  readonly weights: string;
  readonly model: ModelName;
  /** The last epoch that it was trained in, from 0. */
  readonly epoch: number;
  /** The split on which its run found this epoch, not the last, to be the best; null for the last one. */
  readonly chosenOn: string | null;
}

/** A temperature and what it changes, or why there is none. */
export interface CalibrationReport {
  readonly temperature: number | null;
  /** The images that it was fitted on: never those of the figures. */
  readonly fittedOn: string | null;
  readonly fittedImages: number;
  readonly ece: number | null;
  readonly loss: number | null;
  readonly bins: readonly ReliabilityBin[] | null;
  /** Why there is no temperature. */
  readonly reason: string | null;
}

/** What `evaluate` found. Shares are fractions; intervals are 95 % (Wilson), and CK+'s count sequences. */
export interface EvaluationReport {
  readonly adapter: string;
  readonly members: readonly Member[];
  /** The networks' names, joined by `+`. */
  readonly model: string;
  readonly dataset: string;
  readonly split: string;
  readonly fold: number | null;
  readonly folds: FoldKind | null;
  readonly crops: number;
  /** Images. */
  readonly n: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
  readonly interval: Interval;
  /** Of the center crop alone. */
  readonly accuracySingleView: number;
  /** Without the images that are in the training images, pixel by pixel; null for the training images themselves. */
  readonly accuracyWithoutDuplicates: number | null;
  readonly intervalWithoutDuplicates: Interval | null;
  readonly nWithoutDuplicates: number | null;
  readonly perClass: readonly ClassScore[];
  /** Means over the classes that have images. */
  readonly macro: Omit<ClassScore, 'name' | 'n'>;
  /** Expected calibration error in 15 bins, as the network gives its probabilities. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
  readonly calibration: CalibrationReport;
  readonly classes: readonly string[];
  /** Row: shown; column: recognized as. */
  readonly confusion: readonly (readonly number[])[];
}

/** An evaluation with what it was made on and from. */
export interface Assessment {
  readonly report: EvaluationReport;
  readonly split: Split;
  /** [images, classes]: their softmax is the probabilities. */
  readonly logits: Float64Array;
}

/** Evaluates checkpoints on a split: averaged weights where a checkpoint holds them. Writes the files that were asked for. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  const { report, split, logits } = await assess(options);
  if (options.figure !== undefined) writeConfusion(options.figure, report);
  if (options.predictions !== undefined) writeFile(options.predictions, predictionLines(split, logits));
  return report;
}

/** `evaluate` without its files, and with the logits of every image; `calibrated: false` saves the time of a temperature. */
export async function assess(
  options: EvaluateOptions,
  { calibrated = true }: { readonly calibrated?: boolean } = {},
): Promise<Assessment> {
  const { onEvent = () => {}, crops = 10, signal } = options;
  const runs = await Promise.all([options.weights].flat().map(readWeights));
  const [first] = runs;
  if (!first) throw new ValueError('evaluate: which checkpoint? (weights is empty)');
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;
  const data = options.data ?? first.note.data ?? null;
  if (data === null && !options.faces && (first.note.dataset ?? 'drawn') !== 'drawn') {
    throw new ValueError(
      `evaluate: ${first.file} learnt from ${first.note.dataset}, which is not here; give its path as data`,
    );
  }
  const faces = options.faces ?? (await obtain(data, first.note.drawnSeed ?? 1, onEvent));
  if (options.dataset !== undefined && options.dataset !== faces.dataset) {
    throw new ValueError(`evaluate: ${data ?? 'the default data'} is ${faces.dataset}, not ${options.dataset}`);
  }
  for (const { file, info } of runs) {
    if (faces.classes.join() === info.classes.join()) continue;
    throw new ValueError(
      `evaluate: ${file} tells ${info.classes.join(', ')} apart, ${data ?? 'the drawn set'} holds ${faces.classes.join(', ')}`,
    );
  }
  const fold = options.fold ?? first.note.fold ?? 1;
  const folds = options.folds ?? first.note.folds ?? 'reference';
  const { chosen, called, training, calibration } = chooseSplit(faces, options.split, fold, folds);
  const held = calibrated ? calibration.on : null;
  const classes = faces.classes.length;
  const parts = [chosen, ...(held ? [held] : [])];
  const total = runs.length * parts.reduce((sum, { indices }) => sum + indices.length, 0);
  let before = 0;
  const found: Evaluation[][] = [];
  for (const run of runs) {
    const net = trainedNetwork(run);
    try {
      const ofRun = [];
      for (const part of parts) {
        ofRun.push(
          await evaluateNetwork(net, part, {
            input: run.protocol.input,
            crops,
            views: viewsPerPass(run.name),
            onImages: (done) => onEvent({ event: 'evaluating', done: before + done, total }),
            ...(signal ? { signal } : {}),
          }),
        );
        before += part.indices.length;
      }
      found.push(ofRun);
    } finally {
      net.dispose();
    }
  }
  const scored = (part: number, seen: (evaluation: Evaluation) => Score = (evaluation) => evaluation): Scored => ({
    logits: meanProbabilities(
      found.map((ofRun) => seen(ofRun[part] as Evaluation).logits),
      classes,
    ),
    labels: labelsOf(parts[part] as Split),
    classes,
  });
  const [all, single] = [scored(0), scored(0, ({ center }) => center)];
  const matrix = matrixOf(all, faces.classes);
  const fresh = training && withoutSeen(all, chosen, training);
  const { ece, bins } = reliability(all);
  const report: EvaluationReport = {
    adapter,
    members: runs.map((run) => ({
      weights: run.file,
      model: run.name,
      epoch: run.info.epoch - 1,
      chosenOn: chosenOn(run.file, run, faces.dataset),
    })),
    model: runs.map(({ name }) => name).join('+'),
    dataset: faces.dataset,
    split: called,
    fold: faces.dataset === 'ck+' ? fold : null,
    folds: faces.dataset === 'ck+' ? folds : null,
    crops,
    n: matrix.total,
    loss: meanCrossEntropy(all),
    accuracy: matrix.accuracy,
    interval: intervalOf(matrix.correct, matrix.total, faces.dataset),
    accuracySingleView: matrixOf(single, faces.classes).accuracy,
    ...accuracyOf(fresh && matrixOf(fresh, faces.classes), faces.dataset),
    perClass: matrix.scores(),
    macro: matrix.macro(),
    ece,
    bins,
    calibration: calibrate(all, calibration, held ? scored(1) : null),
    classes: faces.classes,
    confusion: matrix.toArray(),
  };
  return { report, split: chosen, logits: all.logits };
}

/** Where the epoch of a checkpoint was found to be the best, unless it is the last one, which nothing chose. */
function chosenOn(file: string, { info, note, protocol }: ReadRun, dataset: string): string | null {
  const epoch = info.epoch - 1;
  if (basename(file) === LAST || note.bestEpoch !== epoch || epoch === protocol.epochs - 1) return null;
  if (dataset === 'ck+') return 'test';
  return protocol.select === 'private' ? 'PrivateTest' : 'PublicTest';
}

/** The logits of an assessment with the labels that they should give. */
export function scoredOf({ split, logits }: Pick<Assessment, 'split' | 'logits'>): Scored {
  return { logits, labels: labelsOf(split), classes: split.faces.classes.length };
}

function accuracyOf(
  matrix: ConfusionMatrix | null,
  dataset: string,
): Pick<EvaluationReport, 'accuracyWithoutDuplicates' | 'intervalWithoutDuplicates' | 'nWithoutDuplicates'> {
  const n = matrix?.total ?? null;
  return {
    accuracyWithoutDuplicates: matrix && n ? matrix.accuracy : null,
    intervalWithoutDuplicates: matrix && n ? intervalOf(matrix.correct, n, dataset) : null,
    nWithoutDuplicates: n,
  };
}

/** The rows whose image is not, pixel by pixel, among those of `training`. */
function withoutSeen({ logits, labels, classes }: Scored, chosen: Split, training: Split): Scored {
  const seen = duplicatesOf(chosen, training);
  const rows = Array.from(seen.keys()).filter((row) => !seen[row]);
  return {
    logits: Float64Array.from(rows.flatMap((row) => [...logits.subarray(row * classes, (row + 1) * classes)])),
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    classes,
  };
}

/** Fits a temperature on `held` and tells what it does for `all`. */
function calibrate(
  all: Scored,
  { called, reason }: { readonly called: string | null; readonly reason: string | null },
  held: Scored | null,
): CalibrationReport {
  if (!held) {
    return { temperature: null, fittedOn: null, fittedImages: 0, ece: null, loss: null, bins: null, reason };
  }
  const temperature = fitTemperature(held);
  const { ece, bins } = reliability(all, temperature);
  const loss = meanCrossEntropy(all, temperature);
  return { temperature, fittedOn: called, fittedImages: held.labels.length, ece, loss, bins, reason: null };
}

/** A CSV with a line an image. */
function predictionLines({ faces, indices }: Split, logits: Float64Array): string {
  const { classes } = faces;
  const lines = Array.from(indices, (image, i) => {
    const given = probabilities(logits.subarray(i * classes.length, (i + 1) * classes.length));
    const predicted = classes[given.indexOf(Math.max(...given))];
    return [image, classes[faces.labels[image] as number], predicted, ...given.map((p) => p.toFixed(6))];
  });
  return `${Papa.unparse([['index', 'label', 'predicted', ...classes], ...lines], { newline: '\n' })}\n`;
}
