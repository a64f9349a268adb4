// Writes a run's network without its training state: averaged weights in float16, temperature and margin (Node only).

import { writeCheckpoint } from '@mien/nn/checkpoint';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { fitMargin, fitTemperature, reliability } from '../../calibration.ts';
import { defined } from '../../cli/options.ts';
import { datasetOf, titleOf } from '../../datasets/catalog.ts';
import type { Faces } from '../../datasets/faces.ts';
import { round } from '../../runs/accuracy.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { readWeights } from '../../runs/folder.ts';
import { freeName } from '../../runs/outputFile.ts';
import type { Note } from '../../training/options.ts';
import { type Assessment, assess, scoredOf } from '../evaluate/evaluate.ts';

/** Options of `exportWeights`. */
export interface ExportOptions {
  /** A checkpoint, or a run folder (its last checkpoint). */
  readonly weights: string;
  /** The file to write. Default: the checkpoint's name with the extension .f16.safetensors. */
  readonly out?: string;
  /** FER2013: fits temperature and margin on PublicTest and evaluates PrivateTest. */
  readonly data?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const exportWeightsOptions = optionNames<ExportOptions>({
  weights: true,
  out: true,
  data: true,
  adapter: true,
  signal: true,
  onEvent: true,
});

/** Figures stored in an exported network; accuracies are fractions. */
export interface Figures {
  /** Divides the logits before the softmax; fitted on PublicTest. */
  readonly temperature: number;
  /** A face is unsure where its two largest probabilities differ by less; `fitMargin` on PublicTest. */
  readonly margin: number;
  readonly privateImages: number;
  /** Ten-crop accuracy on PrivateTest. */
  readonly privateAccuracy: number;
  readonly privateAccuracyWithoutDuplicates: number;
  /** Expected calibration error on PrivateTest with this temperature. */
  readonly privateEce: number;
}

/** The result of `exportWeights`. */
export interface ExportReport {
  readonly out: string;
  readonly bytes: number;
  readonly figures: Figures | null;
}

/** Writes the network of a checkpoint to a file that can be evaluated and used for prediction, but not resumed. */
export async function exportWeights(options: ExportOptions): Promise<ExportReport> {
  expectOptions('exportWeights', options, exportWeightsOptions);
  const { weights, data, onEvent = () => {}, ...rest } = options;
  const { file, info, model, ema, note } = await readWeights(weights);
  const out = options.out ?? freeName(file, '.f16.safetensors');
  const faces = data === undefined ? null : await obtain(data, 1, onEvent);
  const { dataset, bestEpoch, bestTestAccuracy, fold } = note;
  const facts = { dataset, bestEpoch, bestTestAccuracy, fold };
  const known = defined(facts) as Note;
  const sums = { loss: 0, correct: 0, images: 0, learningRate: 0 };
  // Only the origin of the network: no path of the machine that trained it.
  const write = async (figures: Figures | null): Promise<number> => {
    const extra = { note: { ...known, data: null, ...figures }, sums };
    const checkpoint = { info: { ...info, extra }, model: new Map([...model, ...ema]) };
    const bytes = await writeCheckpoint(checkpoint, { float32As: 'F16' });
    writeFile(out, bytes);
    return bytes.length;
  };
  const bytes = await write(null);
  if (!faces) return { out, bytes, figures: null };
  // Measured on the written file, because its weights are rounded.
  const figures = await measure(faces, out, { ...rest, onEvent });
  return { out, bytes: await write(figures), figures };
}

type Rest = Pick<ExportOptions, 'adapter' | 'signal' | 'onEvent'>;

async function measure(faces: Faces, weights: string, rest: Rest): Promise<Figures> {
  if (!datasetOf(faces.dataset).splits?.heldOut) {
    throw new ValueError(`export: expected FER2013, got ${titleOf(faces.dataset)}; leave out --data`);
  }
  const assessed = async (split: 'public' | 'private'): Promise<Assessment> =>
    assess({ weights, faces, split, ...rest }, { calibrated: false });
  const open = scoredOf(await assessed('public'));
  const temperature = round(fitTemperature(open), 4);
  const closed = await assessed('private');
  const { n, accuracy, accuracyWithoutDuplicates } = closed.report;
  return {
    temperature,
    margin: round(fitMargin(open, temperature), 4),
    privateImages: n,
    privateAccuracy: accuracy,
    privateAccuracyWithoutDuplicates: accuracyWithoutDuplicates ?? accuracy,
    privateEce: reliability(scoredOf(closed), temperature).ece,
  };
}
