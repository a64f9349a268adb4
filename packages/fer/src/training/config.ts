// The configuration of a training run: every setting that decides it besides data and seed.
import type { Clip } from '@mien/nn';
import type { Augmentation } from '../augmentation.ts';
import { type LrScheduleConfig, lrFactor } from '../lrSchedule.ts';
import type { InputForm } from '../transforms.ts';

/**
 * `reference` is the published recipe (with one gray channel for networks on gray images); `best` is this package's.
 */
export const PRESETS = ['reference', 'best'] as const;
export type Preset = (typeof PRESETS)[number];

/** The settings of a training run, stored in every checkpoint. */
export interface TrainingConfig {
  readonly epochs: number;
  readonly batchSize: number;
  /**
   * Images per forward pass, whose gradients accumulate to the batch's; absent: the batch. BatchNorm then normalizes by the
   * statistics of these images.
   */
  readonly microBatch?: number;
  readonly learningRate: number;
  readonly schedule: LrScheduleConfig;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Whether weight decay applies to BatchNorm's weights and biases. */
  readonly decayNorm: boolean;
  /** The bound on gradients: on every element, or on their common norm. */
  readonly clip: Clip | null;
  readonly labelSmoothing: number;
  /** The weight of FER+ votes in each target, the rest being the label's; absent: 0. The data must have votes. */
  readonly softLabels?: number;
  /** Decay of the moving average of weights and statistics, which is then evaluated; null: none. */
  readonly ema: number | null;
  /** Views per image whose logits are averaged in the test of each epoch; the last test uses ten. */
  readonly crops: 1 | 10;
  /** Whether the held-out split is evaluated after each epoch, as the reference does, or once at the end. */
  readonly privateTest: 'each-epoch' | 'at-end';
  /** The split that selects the best epoch: `public` the test split, `private` the held-out one, whose figure is then optimistic. */
  readonly select: 'public' | 'private';
  readonly input: InputForm;
  /** Augmentation of training images; null: random crops and mirroring only. */
  readonly augmentation: Augmentation | null;
}

/** The names of a configuration. */
export const configNames = (): readonly string[] => Object.keys(SETTINGS);

/** The problem of a configuration from a file, or null. */
export function faultOf(config: unknown): string | null {
  const settings = isObject(config) ? config : {};
  for (const [name, [expected, fits]] of Object.entries(SETTINGS)) {
    const value = settings[name];
    if (!fits(value))
      return `${name} must be ${expected}, got ${typeof value === 'number' ? value : JSON.stringify(value)}`;
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
  // BatchNorm needs two images for a variance over a 1x1 map.
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

/** The learning rate of step `step` of `steps` in epoch `epoch`, both from 0. */
export function learningRate(config: TrainingConfig, epoch: number, step = 0, steps = 1): number {
  return config.learningRate * lrFactor(config.schedule, config.epochs, epoch, step, steps);
}
