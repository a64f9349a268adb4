// What a training run is made of: every number that decides it besides data and seed.
import { type Clip, cosine, stepLR, warmUp } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import type { Augmentation } from '../augmentation.ts';
import type { InputForm } from '../transforms.ts';
import { presetOf } from './presets.ts';

/** The networks that can be trained. */
export const MODELS = ['vgg11', 'vgg13', 'vgg16', 'vgg19', 'resnet18', 'small', 'nano'] as const;
export type ModelName = (typeof MODELS)[number];

/** The data sets that can be trained on. */
export const DATASETS = ['fer2013', 'ck+', 'drawn'] as const;
export type DatasetName = (typeof DATASETS)[number];

/**
 * Whose recipe: `reference` is the published one, to the letter (with one gray channel for small and nano, which take no
 * more); `best` is ours.
 */
export const PRESETS = ['reference', 'best'] as const;
export type Preset = (typeof PRESETS)[number];

/**
 * The learning rate's schedule, as checkpoints store it. `stepwise`: constant until epoch `after`, then multiplied by
 * `factor` every `every` epochs. `cosine`: rises over `warmup` epochs, then falls to 0 along half a cosine, step by step.
 */
export type LrScheduleConfig =
  | { readonly kind: 'stepwise'; readonly after: number; readonly every: number; readonly factor: number }
  | { readonly kind: 'cosine'; readonly warmup: number };

/** Everything that decides a training run besides its data and its seed; stored in every checkpoint. */
export interface TrainingConfig {
  readonly epochs: number;
  readonly batchSize: number;
  /**
   * Images that go through the network at a time, whose gradients add up to the batch's; absent, the whole batch. BatchNorm
   * then normalizes by the statistics of these images, not of the batch.
   */
  readonly microBatch?: number;
  readonly learningRate: number;
  readonly schedule: LrScheduleConfig;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Whether weight decay reaches BatchNorm's weights and biases too. */
  readonly decayNorm: boolean;
  /** The bound on gradients: on every element, or on their common norm. */
  readonly clip: Clip | null;
  readonly labelSmoothing: number;
  /** The share of each target that FER+ voters give, the rest being the label's; absent, 0. The data must hold their votes. */
  readonly softLabels?: number;
  /** Decay of the moving average of weights and statistics, which is then what is evaluated; null keeps none. */
  readonly ema: number | null;
  /** Views of an image whose logits are averaged in the evaluation of each epoch; the last is always ten. */
  readonly crops: 1 | 10;
  /** Whether FER2013's PrivateTest is evaluated at each epoch, as the reference does, or once at the end. */
  readonly privateTest: 'each-epoch' | 'at-end';
  /** The test whose best epoch is kept; `private` reports an optimiztic figure, as it is chosen on the reported images. */
  readonly select: 'public' | 'private';
  readonly input: InputForm;
  /** How training images are changed; null: cropped at random and mirrored, nothing else. */
  readonly augmentation: Augmentation | null;
}

/**
 * The protocol of `model` on `dataset`, with `changes` on top. Without a preset: `best` for small and nano, `reference` for
 * the others. Throws ValueError on a number out of range.
 */
export function trainingConfig(
  model: ModelName,
  dataset: DatasetName,
  changes: Partial<TrainingConfig> = {},
  preset: Preset = model === 'small' || model === 'nano' ? 'best' : 'reference',
): TrainingConfig {
  const whole: TrainingConfig = { ...presetOf(preset, model, dataset), ...changes };
  const fault = faultOf(whole);
  if (fault) throw new ValueError(`trainingConfig: ${fault}`);
  return whole;
}

/** What is wrong with a protocol that comes from a file, or null where nothing is. */
export function faultOf(protocol: unknown): string | null {
  const settings = isObject(protocol) ? protocol : {};
  for (const [name, [expected, fits]] of Object.entries(SETTINGS)) {
    const value = settings[name];
    if (!fits(value))
      return `${name} is ${typeof value === 'number' ? value : JSON.stringify(value)}, expected ${expected}`;
  }
  return null;
}

type Setting = readonly [expected: string, fits: (value: unknown) => boolean];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isFrom =
  (least: number, below = Number.POSITIVE_INFINITY) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= least && value < below;
const isWhole = (least: number) => (value: unknown) => Number.isSafeInteger(value) && isFrom(least)(value);
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isShare = isFrom(0, 1);
const isPositive = isFrom(Number.MIN_VALUE);

const SETTINGS = {
  epochs: ['an integer from 1', isWhole(1)],
  // One image has no variance for BatchNorm at a 1x1 map.
  batchSize: ['an integer from 2', isWhole(2)],
  microBatch: ['absent, or an integer from 2', (value) => value === undefined || isWhole(2)(value)],
  learningRate: ['a number above 0 and below 1000', isFrom(Number.MIN_VALUE, 1000)],
  schedule: [
    'stepwise with after, every and factor, or cosine with warmup',
    (value) =>
      isObject(value) &&
      (value.kind === 'stepwise'
        ? isFrom(0)(value.after) && isPositive(value.every) && isPositive(value.factor)
        : value.kind === 'cosine' && isFrom(0)(value.warmup)),
  ],
  momentum: ['0 to below 1', isShare],
  nesterov: ['true or false', isBoolean],
  weightDecay: ['0 to below 1', isShare],
  decayNorm: ['true or false', isBoolean],
  clip: [
    'null, or value or norm with a positive limit',
    (value) =>
      value === null || (isObject(value) && ['value', 'norm'].includes(String(value.kind)) && isPositive(value.limit)),
  ],
  labelSmoothing: ['0 to below 1', isShare],
  softLabels: ['absent, or 0 to 1', (value) => value === undefined || value === 1 || isShare(value)],
  ema: ['null, or 0 to below 1', (value) => value === null || isShare(value)],
  crops: ['1 or 10', (value) => value === 1 || value === 10],
  select: ['public or private', (value) => value === 'public' || value === 'private'],
  privateTest: ['each-epoch or at-end', (value) => value === 'each-epoch' || value === 'at-end'],
  input: [
    'channels and size from 1, a mean and a positive std',
    (value) =>
      isObject(value) &&
      isWhole(1)(value.channels) &&
      isWhole(1)(value.size) &&
      Number.isFinite(value.mean) &&
      isPositive(value.std),
  ],
  augmentation: [
    'null, or rotation and shift from 0, with scale, light and erasing from 0 to below 1',
    (value) =>
      value === null ||
      (isObject(value) &&
        [value.rotation, value.shift].every(isFrom(0)) &&
        [value.scale, value.light, value.erasing].every(isShare)),
  ],
} as const satisfies Record<keyof TrainingConfig, Setting>;

/** The learning rate of step `step` (from 0) of `steps` in epoch `epoch` (from 0). */
export function learningRate(of: TrainingConfig, epoch: number, step = 0, steps = 1): number {
  return of.learningRate * factor(of, epoch, epoch * steps + step, steps);
}

function factor({ epochs, schedule }: TrainingConfig, epoch: number, step: number, steps: number): number {
  if (schedule.kind === 'stepwise') {
    const { after, every, factor } = schedule;
    return epoch <= after ? 1 : stepLR({ stepSize: every, gamma: factor })(epoch - after);
  }
  const rising = Math.round(schedule.warmup * steps);
  const falling = cosine(Math.max(1, epochs * steps - rising));
  return rising > 0 ? warmUp(rising, falling)(step) : falling(step);
}
