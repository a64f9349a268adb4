// Grids in y and z. They need millions of elements, so the device is made to believe in a lower limit.
import { device } from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { type Case, forward, sample } from './case.ts';

/** Runs a case with at most 3 workgroups in each of x, y and z. */
function inSmallGrids({ operation, run }: Case): Case {
  return {
    operation,
    run: async () => {
      const { limits } = device();
      currentDevice().overrideLimits({ ...limits, maxComputeWorkgroupsPerDimension: 3 });
      try {
        await run();
      } finally {
        currentDevice().overrideLimits(limits);
      }
    },
  };
}

/** Up to 27 workgroups. */
export function grids(): Case[] {
  return [
    forward(
      'exp',
      (x) => x.exp(),
      (x) => reference.exp(x),
      sample([40_000], 1),
    ),
    forward(
      'sum',
      (x) => x.sum(1),
      (x) => reference.sum(x, 1),
      sample([23, 40], 2),
    ),
  ].map(inSmallGrids);
}
