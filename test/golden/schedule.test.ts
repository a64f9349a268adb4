import {
  cosine,
  exponential,
  multiStep,
  Plateau,
  type PlateauOptions,
  type Schedule,
  stepDecay,
  warmUp,
} from '@mien/nn';
import { nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { casesOf } from './golden.ts';
import schedules from './schedule.golden.json' with { type: 'json' };

interface Options extends PlateauOptions {
  readonly every: number;
  readonly at: readonly number[];
  readonly factor: number;
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
  stepDecay,
  multiStep,
  exponential: ({ factor }) => exponential(factor),
  cosine: ({ steps, floor }) => cosine(steps, floor),
  warmUp: ({ steps }) => warmUp(steps),
};

for (const { op, options, metrics, factors } of casesOf<ScheduleCase>(schedules)) {
  test(`${op} gives PyTorch's factors`, () => {
    const plateau = new Plateau(metrics ? options : {});
    const schedule = metrics ? (step: number) => plateau.next(metrics[step] as number) : makers[op]?.(options);
    nearValues(
      factors.map((_, step) => schedule?.(step) ?? Number.NaN),
      factors,
    );
  });
}
