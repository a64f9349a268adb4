// Evaluates a checkpoint on a split of real or drawn faces (Node only).
import { writeFile } from '@mien/nn/files';
import { Generator, init, ValueError } from '@mien/tensor';
import { type Evaluation, evaluateNetwork } from '../evaluation.ts';
import { confusionMatrix } from '../figures/confusionMatrix.ts';
import { png } from '../figures/lettering.ts';
import { network, viewsPerPass } from '../models/network.ts';
import type { ModelName } from '../protocol.ts';
import { chooseSplit, obtain, titleOf } from './data.ts';
import type { RunEvent } from './events.ts';
import { checkpointOf, readCheckpointFile } from './folder.ts';
import { accuracyText, interval, share } from './report.ts';

/** What `evaluate` is told. */
export interface EvaluateOptions {
  /** A checkpoint file, or a run folder whose last checkpoint is meant. */
  readonly weights: string;
  /** As of `train`; by default the data that the checkpoint was trained on. */
  readonly data?: string;
  /** Default: `public` of FER2013 and drawn faces, `test` of CK+. */
  readonly split?: 'training' | 'public' | 'private' | 'test';
  readonly fold?: number;
  readonly crops?: 1 | 10;
  /** A PNG file for the confusion matrix. */
  readonly figure?: string;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What `evaluate` found. */
export interface EvaluationReport {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly epoch: number;
  readonly dataset: string;
  readonly split: string;
  readonly fold: number | null;
  readonly images: number;
  readonly crops: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly accuracyInterval: readonly [number, number];
  readonly perClass: Readonly<Record<string, number>>;
  readonly classes: readonly string[];
  readonly confusion: readonly (readonly number[])[];
}

/** Evaluates a checkpoint on a split: averaged weights where the checkpoint holds them. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  const { onEvent = () => {}, crops = 10 } = options;
  const file = checkpointOf(options.weights);
  const { name, protocol: of, info, note, model, ema } = readCheckpointFile(file);
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;
  const data = options.data ?? note.data ?? null;
  const faces = await obtain(data, note.drawnSeed ?? 1, onEvent);
  if (faces.classes.join() !== info.classes.join()) {
    throw new ValueError(
      `evaluate: ${file} tells ${info.classes.join(', ')} apart, ${data ?? 'the drawn set'} holds ${faces.classes.join(', ')}`,
    );
  }
  const fold = options.fold ?? note.fold ?? 1;
  const { chosen, called } = chooseSplit(faces, options.split, fold);
  const net = network(name, {
    classes: info.classes.length,
    channels: of.input.channels,
    generator: new Generator(0),
  });
  try {
    net.loadStateDict(model);
    if (ema.size > 0) net.loadStateDict(ema, { strict: false });
    const { loss, accuracy, matrix } = await evaluateNetwork(net, chosen, {
      input: of.input,
      crops,
      views: viewsPerPass(name),
      onImages: (done, total) => onEvent({ event: 'evaluating', done, total }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const found: Evaluation = { loss, accuracy, matrix };
    if (options.figure !== undefined) {
      const title = `${name} on ${titleOf(faces.dataset)}, ${called}: ${share(accuracy)}`;
      const caption = `${accuracyText(found, faces)}, ${matrix.total} images, ${crops === 10 ? 'ten-crop' : 'centre crop'}`;
      writeFile(options.figure, png(confusionMatrix(matrix, title, caption)));
    }
    return {
      adapter,
      weights: file,
      model: name,
      epoch: info.epoch - 1,
      dataset: faces.dataset,
      split: called,
      fold: faces.dataset === 'ck+' ? fold : null,
      images: matrix.total,
      crops,
      loss,
      accuracy,
      accuracyInterval: interval(found, faces),
      perClass: Object.fromEntries(matrix.perClass().map((value, i) => [faces.classes[i], value])),
      classes: faces.classes,
      confusion: matrix.toArray(),
    };
  } finally {
    net.dispose();
  }
}
