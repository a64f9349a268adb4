// A run's network alone, ready to be given away: averaged weights in float16, with what makes its probabilities believable.
import { writeCheckpoint } from '@mien/nn/checkpoint';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { fitMargin, fitTemperature, reliability } from '../../calibration.ts';
import type { Faces } from '../../datasets/faces.ts';
import { round } from '../../runs/accuracy.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';
import { readWeights } from '../../runs/folder.ts';
import type { Note } from '../../training/training.ts';
import { type Assessment, assess, scoredOf } from '../evaluate/evaluate.ts';
import { freeName } from '../import/import.ts';

/** What `exportWeights` is told. */
export interface ExportOptions {
  /** A checkpoint, or a run folder whose last one is meant. */
  readonly weights: string;
  /** The file to write; by default beside the checkpoint, ending in .f16.safetensors. */
  readonly out?: string;
  /** FER2013, on whose PublicTest temperature and margin are fitted, and whose PrivateTest is told right how often. */
  readonly data?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What an exported network says of itself; shares are fractions. */
export interface Figures {
  /** Logits are divided by it before their softmax (fitted on PublicTest). */
  readonly temperature: number;
  /** Faces whose second probability is nearer than this to the first are called unsure (`fitMargin` on PublicTest). */
  readonly margin: number;
  readonly privateImages: number;
  /** Of PrivateTest, by ten views of each image. */
  readonly privateAccuracy: number;
  readonly privateAccuracyWithoutDuplicates: number;
  /** Expected calibration error on PrivateTest at that temperature. */
  readonly privateEce: number;
}

/** What was exported. */
export interface ExportReport {
  readonly out: string;
  readonly bytes: number;
  readonly figures: Figures | null;
}

/** Writes the network of a checkpoint to a file of its own, which can be evaluated and read with, but not gone on with. */
export async function exportWeights(options: ExportOptions): Promise<ExportReport> {
  const { weights, data, onEvent = () => {}, ...rest } = options;
  const { file, info, model, ema, note } = await readWeights(weights);
  const out = options.out ?? freeName(file, '.f16.safetensors');
  const faces = data === undefined ? null : await obtain(data, 1, onEvent);
  const { dataset, bestEpoch, bestTestAccuracy, fold } = note;
  const kept = { dataset, bestEpoch, bestTestAccuracy, fold };
  const told = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as Note;
  const sums = { loss: 0, correct: 0, images: 0, learningRate: 0 };
  // Of the run only what says where the network comes from: no path of the machine that it was trained on.
  const write = async (figures: Figures | null): Promise<number> => {
    const extra = { note: { ...told, data: null, ...figures }, sums };
    const alone = { info: { ...info, extra }, model: new Map([...model, ...ema]) };
    const bytes = await writeCheckpoint(alone, { float32As: 'F16' });
    writeFile(out, bytes);
    return bytes.length;
  };
  const bytes = await write(null);
  if (!faces) return { out, bytes, figures: null };
  // Measured on what was written, whose weights are rounded.
  const figures = await measure(faces, out, { ...rest, onEvent });
  return { out, bytes: await write(figures), figures };
}

type Rest = Pick<ExportOptions, 'adapter' | 'signal' | 'onEvent'>;

async function measure(faces: Faces, weights: string, rest: Rest): Promise<Figures> {
  if (faces.dataset !== 'fer2013') {
    throw new ValueError(`export: figures are of FER2013, the data is ${faces.dataset}; leave the data out`);
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
