import {
  cosine,
  exponentialLR,
  multiStepLR,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  type Schedule,
  stepLR,
  warmUp,
} from '@mien/nn';
import { nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { casesOf } from './golden.ts';
import schedules from './schedule.golden.json' with { type: 'json' };

interface Options extends ReduceLROnPlateauOptions {
  readonly stepSize: number;
  readonly milestones: readonly number[];
  readonly gamma: number;
  readonly steps: number;
  readonly floor: number;
}

interface ScheduleCase {
  readonly op: string;
  readonly options: Options;
  readonly metrics?: readonly number[];
  readonly factors: readonly number[];
}

const makers: Readonly<Record<string, (options: Options) => Schedule>> = {
  stepLR,
  multiStepLR,
  exponentialLR: ({ gamma }) => exponentialLR(gamma),
  cosine: ({ steps, floor }) => cosine(steps, floor),
  warmUp: ({ steps }) => warmUp(steps),
};

for (const { op, options, metrics, factors } of casesOf<ScheduleCase>(schedules)) {
  test(`${op} gives PyTorch's factors`, () => {
    const plateau = new ReduceLROnPlateau(metrics ? options : {});
    const schedule = metrics ? (step: number) => plateau.step(metrics[step] as number) : makers[op]?.(options);
    nearValues(
      factors.map((_, step) => schedule?.(step) ?? Number.NaN),
      factors,
    );
  });
}
