// Profiles a training step on random images (Node only): rows per kernel, a Chrome trace and a figure.

import { join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { chromeTrace, init, measurePeak, profile, profileRows } from '@mien/tensor';
import { currentDevice, expectOptions, optionNames } from '@mien/tensor/internal';
import { FER2013 } from '../../datasets/fer2013.ts';
import { png } from '../../figures/lettering.ts';
import type { ModelName } from '../../models/catalog.ts';
import { makeFolder } from '../../runs/folder.ts';
import { noise } from '../../runs/noise.ts';
import { trainingConfig } from '../../training/presets.ts';
import { Training } from '../../training/training.ts';
import { profileFigure } from './figure.ts';
import type { ProfileReport } from './report.ts';

/** Options of `profileTraining`. */
export interface ProfileOptions {
  readonly model: ModelName;
  /** Images per step. Default: as on FER2013. */
  readonly batchSize?: number;
  /** A folder for profile.json, trace.json and profile.png; without it they are not written. */
  readonly out?: string;
  readonly adapter?: string;
}

const profileTrainingOptions = optionNames<ProfileOptions>({ model: true, batchSize: true, out: true, adapter: true });

/** Steps before the measured ones: kernels compile, the pool fills, and the third step is captured. */
const warming = 3;
const measured = 3;

/** Measures training steps of a new network, then profiles one. */
export async function profileTraining(options: ProfileOptions): Promise<ProfileReport> {
  expectOptions('profileTraining', options, profileTrainingOptions);
  const { model, out } = options;
  const device = await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const config = trainingConfig(model, FER2013.name, {
    epochs: 1,
    ...(options.batchSize === undefined ? {} : { batchSize: options.batchSize }),
  });
  const { batchSize } = config;
  if (out !== undefined) makeFolder(out);
  const peak = await measurePeak();
  const faces = noise(batchSize * (warming + measured + 1));
  const train = { faces, indices: faces.splits.Training as Int32Array };
  using training = new Training({ model, train, config });
  for (let step = 0; step < warming; step++) await timedStep(training);
  const steps: { readonly host: number; readonly total: number }[] = [];
  const submitted = currentDevice().submits;
  for (let step = 0; step < measured; step++) steps.push(await timedStep(training));
  const submits = (currentDevice().submits - submitted) / measured;
  const profiled = await profile(() => timedStep(training));
  const rows = profileRows(profiled.spans, peak);
  const report: ProfileReport = {
    adapter: device.facts.name,
    model,
    batchSize,
    stepSeconds: median(steps.map(({ total }) => total)),
    hostSeconds: median(steps.map(({ host }) => host)),
    submits,
    kernelSeconds: profiled.spans.reduce((sum, { seconds }) => sum + seconds, 0),
    stamps: profiled.stamps,
    peak,
    rows,
  };
  if (out !== undefined) {
    writeFile(join(out, 'profile.json'), `${JSON.stringify(report, null, 2)}\n`);
    writeFile(join(out, 'trace.json'), chromeTrace(profiled));
    writeFile(join(out, 'profile.png'), png(profileFigure(report)));
  }
  return report;
}

/** Runs one step on an idle device and waits for it. */
async function timedStep(training: Training): Promise<{ host: number; total: number }> {
  const start = performance.now();
  await training.step();
  const host = (performance.now() - start) / 1000;
  await training.drain();
  return { host, total: (performance.now() - start) / 1000 };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
