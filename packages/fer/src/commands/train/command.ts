// `mien train`.
import { relative } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Augmentation } from '../../augmentation.ts';
import { type CommandDefinition, defineCommand, UsageError } from '../../cli/defineCommand.ts';
import {
  ADAPTER,
  choice,
  DATA_TO_TRAIN_ON,
  defined,
  integer,
  MODEL,
  number,
  PRESET,
  parsed,
  text,
  toNumber,
} from '../../cli/options.ts';
import { DATASETS, datasetOf } from '../../datasets/catalog.ts';
import { FOLD_KINDS } from '../../datasets/dataset.ts';
import { MODELS } from '../../models/catalog.ts';
import { share, viewsText } from '../../runs/accuracy.ts';
import type { Summary } from '../../runs/events.ts';
import { train } from './train.ts';

/** `mien train`. */
export const trainCommand: CommandDefinition = defineCommand({
  name: 'train',
  summary: 'Trains a network with the preset of network and data set; writes a run folder that can be resumed.',
  options: {
    model: MODEL,
    data: DATA_TO_TRAIN_ON,
    dataset: choice(
      '<name>',
      DATASETS,
      'read the files as this data set, if layouts look alike; other files are refused',
    ),
    fold: integer('<n>', 'the fold of CK+ that is tested, 1 to 10 (default: 1)'),
    folds: choice('<kind>', FOLD_KINDS, 'the kind of CK+ folds (default: reference)'),
    preset: PRESET,
    select: choice(
      '<test>',
      ['public', 'private'],
      'select the best epoch on PublicTest or on PrivateTest (default: public)',
    ),
    augment: parsed(
      '<changes>',
      'none, or the bounds of random changes: rotation=12,scale=0.1,shift=4,light=0.2,erasing=0.25',
      toAugmentation,
    ),
    epochs: integer('<n>', 'epochs of the run'),
    batchSize: integer('<n>', 'images per step'),
    microBatch: integer('<n>', 'images per pass, to save memory; BatchNorm then sees only these'),
    lr: number('<rate>', 'initial learning rate of the schedule'),
    momentum: number('<m>', 'momentum of SGD'),
    weightDecay: number('<w>', 'weight decay of SGD'),
    labelSmoothing: number('<s>', 'share of each target that is spread over all classes'),
    softLabels: number('<share>', 'share of each target from FER+ votes; needs an HDF5 file of prepare --ferplus'),
    ema: number('<decay>', 'decay of the averaged weights; 0 turns averaging off'),
    testCrops: choice('<n>', ['1', '10'], "views per image in each epoch's test; the last test uses ten"),
    init: text('<file>', 'start from the weights of this checkpoint; a classifier of other classes stays random'),
    seed: integer('<n>', 'seed of weights, order, crops and dropout (default: 1)'),
    out: text('<folder>', 'the run folder (default: runs/<model>-<dataset>)'),
    resume: text('<folder>', 'resume an earlier run'),
    from: choice('<which>', ['last', 'best'], 'the checkpoint to resume from (default: last)'),
    checkpointEvery: integer('<steps>', 'write a checkpoint every so many steps, besides every epoch'),
    stopAfter: integer('<steps>', 'stop after so many steps, with a checkpoint'),
    adapter: ADAPTER,
  },
  json: 'print one JSON object per line on standard output, and nothing else',
  jsonEvents: ({ event }) => !['compiling', 'evaluating', 'reading', 'tuning'].includes(event),
  examples: [
    ['mien train --model nano', 'drawn faces, a minute or two'],
    ['mien train --model vgg19 --data fer2013.csv', "the reference's training on FER2013"],
    ['mien train --model small --data CK+48 --dataset ck+ --fold 1'],
    ['mien train --resume runs/vgg19-fer2013', 'continues exactly'],
  ],
  run: async ({ options, signal, onEvent }) => {
    const { lr: learningRate, augment: augmentation, ema, testCrops, ...rest } = options;
    const { epochs, batchSize, microBatch, momentum, weightDecay, labelSmoothing, softLabels, select, ...run } = rest;
    if (!run.model && !run.resume) {
      throw new UsageError(`train needs --model (${MODELS.join(', ')}) or --resume FOLDER`);
    }
    const { out, summary } = await train({
      ...run,
      config: defined({
        epochs,
        batchSize,
        microBatch,
        momentum,
        weightDecay,
        labelSmoothing,
        softLabels,
        select,
        learningRate,
        augmentation: augmentation === 'none' ? null : augmentation,
        ema: ema === 0 ? null : ema,
        crops: testCrops === undefined ? undefined : testCrops === '1' ? 1 : 10,
      }),
      signal,
      onEvent,
    });
    return { text: trainText(out, summary) };
  },
});

/** `rotation=12,erasing=0.25` as bounds, 0 where a bound is not given; `none`, because commander ignores null. */
function toAugmentation(text: string): Augmentation | 'none' {
  if (text === 'none') return text;
  const bounds = { rotation: 0, scale: 0, shift: 0, light: 0, erasing: 0 };
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (!(name in bounds)) throw new InvalidArgumentError(`Expected ${Object.keys(bounds).join(', ')}.`);
    bounds[name as keyof Augmentation] = toNumber(value);
  }
  return bounds;
}

/** The result of a training run, in a few lines. */
export function trainText(out: string, summary: Summary): string {
  const folder = relative(process.cwd(), out) || out;
  const { splits } = datasetOf(summary.dataset);
  const lines: string[] = [];
  if (summary.testAccuracy !== null) {
    const tested = splits ? splits.test.name : `fold ${summary.fold}`;
    lines.push(
      `test accuracy ${share(summary.testAccuracy)}${intervalText(summary.testAccuracyInterval)}, ten-crop on ${summary.testImages} images (${tested}), last epoch`,
      `best epoch ${(summary.bestEpoch ?? 0) + 1} of ${summary.epochs}: ${share(summary.bestTestAccuracy)} (${viewsText(summary.protocol.crops)}; optimistic, because it was selected on the same images of ${summary.selectedOn})`,
    );
  } else {
    lines.push(`stopped in epoch ${summary.epochs + 1} after ${summary.steps} steps; resume with --resume ${folder}`);
  }
  if (summary.privateTestAccuracy !== undefined) {
    lines.push(
      `${splits?.heldOut?.name} accuracy ${share(summary.privateTestAccuracy)}${intervalText(summary.privateTestAccuracyInterval ?? null)}, ten-crop, last epoch`,
    );
  }
  lines.push(
    `${summary.trainSeconds.toFixed(1)} s, ${summary.imagesPerSecond.toFixed(1)} images/s, written to ${folder}`,
  );
  return `${lines.join('\n')}\n`;
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval ? ` (95 % interval ${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)})` : '';
}
