// Evaluates one checkpoint, or several as an ensemble, on a split (Node only).

import { basename } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { init, ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import Papa from 'papaparse';
import {
  fitTemperature,
  meanCrossEntropy,
  meanProbabilities,
  probabilities,
  reliability,
  type Scored,
} from '../../calibration.ts';
import { type DatasetName, datasetOf, selectionSplit } from '../../datasets/catalog.ts';
import type { FoldKind } from '../../datasets/dataset.ts';
import { DRAWN } from '../../datasets/drawn.ts';
import { duplicatesOf } from '../../datasets/duplicates.ts';
import type { Faces, Split } from '../../datasets/faces.ts';
import { type Selection, selectSplit } from '../../datasets/splits.ts';
import { type Evaluation, evaluateNetwork, labelsOf, matrixOf, type Score } from '../../evaluation.ts';
import type { ConfusionMatrix } from '../../metrics.ts';
import { NETWORKS } from '../../models/catalog.ts';
import { intervalOf } from '../../runs/accuracy.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { LAST, type NamedRun, readWeights } from '../../runs/folder.ts';
import { trainedNetwork } from '../../training/checkpoint.ts';
import { writeConfusion } from './confusions.ts';
import type { CalibrationReport, EvaluationReport, Member } from './report.ts';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** `small`, `nano`, checkpoint files, or run folders (their last checkpoint). Several form an ensemble: the mean of their probabilities. */
  readonly weights: string | readonly string[];
  /** As for `train`. Default: the data that the first checkpoint was trained on. */
  readonly data?: string;
  /** Faces in memory; takes precedence over `data`. */
  readonly faces?: Faces;
  /** Requires this data set. */
  readonly dataset?: DatasetName;
  /** Default: the test split of the data set, `public` for FER2013 and `test` for CK+. */
  readonly split?: string;
  readonly fold?: number;
  /** Kind of folds. Default: that of the first checkpoint's training. */
  readonly folds?: FoldKind;
  readonly crops?: 1 | 10;
  /** An SVG or PNG file for the confusion matrix. */
  readonly figure?: string;
  /** A CSV file with one line per image: index, label, predicted, and the probability of each class. */
  readonly predictions?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const evaluateOptions = optionNames<EvaluateOptions>({
  weights: true,
  data: true,
  faces: true,
  dataset: true,
  split: true,
  fold: true,
  folds: true,
  crops: true,
  figure: true,
  predictions: true,
  adapter: true,
  signal: true,
  onEvent: true,
});

/** An evaluation with its images and logits. */
export interface Assessment {
  readonly report: EvaluationReport;
  readonly split: Split;
  /** [images, classes]: their softmax is the probabilities. */
  readonly logits: Float64Array;
}

/** Evaluates checkpoints on a split, with averaged weights where a checkpoint has them. Writes the requested files. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  expectOptions('evaluate', options, evaluateOptions);
  const { report, split, logits } = await assess(options);
  if (options.figure !== undefined) writeConfusion(options.figure, report);
  if (options.predictions !== undefined) writeFile(options.predictions, predictionLines(split, logits));
  return report;
}

/** `evaluate` without its files, and with the logits of every image; `calibrated: false` skips the temperature. */
export async function assess(
  options: EvaluateOptions,
  { calibrated = true }: { readonly calibrated?: boolean } = {},
): Promise<Assessment> {
  const plan = await planOf(options, calibrated);
  const scores = await scoresOf(plan, options);
  return { report: reportOf(plan, scores), split: plan.selection.selected, logits: scores.all.logits };
}

/** What is evaluated, once everything that can be refused has been checked. */
interface Plan {
  readonly adapter: string;
  readonly runs: readonly NamedRun[];
  readonly faces: Faces;
  readonly fold: number | null;
  readonly folds: FoldKind | null;
  readonly crops: 1 | 10;
  readonly selection: Selection;
  /** The images that a temperature is fitted on. */
  readonly fitted: Split | null;
}

async function planOf(options: EvaluateOptions, calibrated: boolean): Promise<Plan> {
  const { onEvent = () => {}, crops = 10 } = options;
  const runs = await Promise.all([options.weights].flat().map(readWeights));
  const [first] = runs;
  if (!first) throw new ValueError('evaluate: weights is empty, expected one checkpoint or more');
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;
  const data = options.data ?? first.note.data ?? null;
  if (data === null && !options.faces && (first.note.dataset ?? DRAWN.name) !== DRAWN.name) {
    throw new ValueError(
      `evaluate: ${first.file} was trained on ${first.note.dataset}, whose path is unknown; pass --data (data in code)`,
    );
  }
  const faces = options.faces ?? (await obtain(data, first.note.drawnSeed ?? 1, onEvent));
  if (options.dataset !== undefined && options.dataset !== faces.dataset) {
    throw new ValueError(
      `evaluate: expected ${options.dataset}, got ${faces.dataset} (${data ?? 'the default data'}); pass another --data or leave out --dataset`,
    );
  }
  for (const { file, info } of runs) {
    if (faces.classes.join() === info.classes.join()) continue;
    throw new ValueError(
      `evaluate: ${file} has the classes ${info.classes.join(', ')}, ${data ?? 'the drawn set'} has ${faces.classes.join(', ')}; expected the same`,
    );
  }
  const fold = options.fold ?? first.note.fold ?? 1;
  const folds = options.folds ?? first.note.folds ?? 'reference';
  const selection = selectSplit(faces, options.split, fold, folds);
  const folded = datasetOf(faces.dataset).folds !== null;
  return {
    adapter,
    runs,
    faces,
    fold: folded ? fold : null,
    folds: folded ? folds : null,
    crops,
    selection,
    fitted: calibrated ? selection.calibration.on : null,
  };
}

/** Logits and labels of the evaluated images: of all views, of the center crop, and of the images to fit on. */
interface Scores {
  readonly all: Scored;
  readonly center: Scored;
  readonly fitted: Scored | null;
}

async function scoresOf(
  { runs, faces, crops, selection: { selected }, fitted }: Plan,
  { onEvent = () => {}, signal }: Pick<EvaluateOptions, 'onEvent' | 'signal'>,
): Promise<Scores> {
  const parts = [selected, ...(fitted ? [fitted] : [])];
  const total = runs.length * parts.reduce((sum, { indices }) => sum + indices.length, 0);
  let before = 0;
  const evaluations: Evaluation[][] = [];
  for (const run of runs) {
    const net = trainedNetwork(run);
    try {
      const ofRun = [];
      for (const part of parts) {
        ofRun.push(
          await evaluateNetwork(net, part, {
            input: run.config.input,
            crops,
            views: NETWORKS[run.name].views,
            onImages: (done) => onEvent({ event: 'evaluating', done: before + done, total }),
            ...(signal ? { signal } : {}),
          }),
        );
        before += part.indices.length;
      }
      evaluations.push(ofRun);
    } finally {
      net.dispose();
    }
  }
  const classes = faces.classes.length;
  const scored = (part: number, scoreOf: (evaluation: Evaluation) => Score = (evaluation) => evaluation): Scored => ({
    logits: meanProbabilities(
      evaluations.map((ofRun) => scoreOf(ofRun[part] as Evaluation).logits),
      classes,
    ),
    labels: labelsOf(parts[part] as Split),
    classes,
  });
  return { all: scored(0), center: scored(0, ({ center }) => center), fitted: fitted ? scored(1) : null };
}

function reportOf(
  { adapter, runs, faces, fold, folds, crops, selection }: Plan,
  { all, center, fitted }: Scores,
): EvaluationReport {
  const { dataset, classes } = faces;
  const matrix = matrixOf(all, classes);
  const fresh = selection.training && withoutDuplicates(all, selection.selected, selection.training);
  const { ece, bins } = reliability(all);
  return {
    adapter,
    members: runs.map((run) => memberOf(run, dataset)),
    model: runs.map(({ name }) => name).join('+'),
    dataset,
    split: selection.name,
    fold,
    folds,
    crops,
    n: matrix.total,
    loss: meanCrossEntropy(all),
    accuracy: matrix.accuracy,
    interval: intervalOf(matrix.correct, matrix.total, dataset),
    accuracySingleView: matrixOf(center, classes).accuracy,
    ...accuracyWithoutDuplicates(fresh && matrixOf(fresh, classes), dataset),
    perClass: matrix.scores(),
    macro: matrix.macro(),
    ece,
    bins,
    calibration: calibrate(all, selection.calibration, fitted),
    classes,
    confusion: matrix.toArray(),
  };
}

function memberOf(run: NamedRun, dataset: string): Member {
  const { file, name, info, note, config } = run;
  const epoch = info.epoch - 1;
  // The last epoch was selected by nothing, even where it happens to be the best.
  const isLast = basename(file) === LAST || note.bestEpoch !== epoch || epoch === config.epochs - 1;
  const chosenOn = isLast ? null : selectionSplit(datasetOf(dataset), config.select);
  return { weights: file, model: name, epoch, chosenOn };
}

/** The logits of an assessment with the labels of its images. */
export function scoredOf({ split, logits }: Pick<Assessment, 'split' | 'logits'>): Scored {
  return { logits, labels: labelsOf(split), classes: split.faces.classes.length };
}

function accuracyWithoutDuplicates(
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

/** The rows whose image does not occur in `training`, compared pixel by pixel. */
function withoutDuplicates({ logits, labels, classes }: Scored, selected: Split, training: Split): Scored {
  const duplicates = duplicatesOf(selected, training);
  const rows = Array.from(duplicates.keys()).filter((row) => !duplicates[row]);
  return {
    logits: Float64Array.from(rows.flatMap((row) => [...logits.subarray(row * classes, (row + 1) * classes)])),
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    classes,
  };
}

/** Fits a temperature on `fitted` and measures its effect on `all`. */
function calibrate(
  all: Scored,
  { name, reason }: Pick<Selection['calibration'], 'name' | 'reason'>,
  fitted: Scored | null,
): CalibrationReport {
  if (!fitted) {
    return { temperature: null, fittedOn: null, fittedImages: 0, ece: null, loss: null, bins: null, reason };
  }
  const temperature = fitTemperature(fitted);
  const { ece, bins } = reliability(all, temperature);
  const loss = meanCrossEntropy(all, temperature);
  return { temperature, fittedOn: name, fittedImages: fitted.labels.length, ece, loss, bins, reason: null };
}

/** A CSV with one line per image. */
function predictionLines({ faces, indices }: Split, logits: Float64Array): string {
  const { classes } = faces;
  const lines = Array.from(indices, (image, i) => {
    const scores = probabilities(logits.subarray(i * classes.length, (i + 1) * classes.length));
    const predicted = classes[scores.indexOf(Math.max(...scores))];
    return [image, classes[faces.labels[image] as number], predicted, ...scores.map((p) => p.toFixed(6))];
  });
  return `${Papa.unparse([['index', 'label', 'predicted', ...classes], ...lines], { newline: '\n' })}\n`;
}
