// Profiles a training step on random images (Node only): where its time goes, as rows, a Chrome trace and a picture.
import { join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { chromeTrace, init, measurePeak, type Peak, type ProfileRow, profile, profileRows } from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import { png } from '../../figures/lettering.ts';
import { makeFolder } from '../../runs/folder.ts';
import { noise } from '../../runs/noise.ts';
import { type ModelName, trainingConfig } from '../../training/config.ts';
import { Training } from '../../training/training.ts';
import { profileFigure } from './figure.ts';

/** What `profileTraining` is told. */
export interface ProfileOptions {
  readonly model: ModelName;
  /** Images of a step. Default: the model's protocol on FER2013. */
  readonly batchSize?: number;
  /** Where `profile.json`, `trace.json` and `profile.png` go; without it they are not written. */
  readonly out?: string;
  readonly adapter?: string;
}

/** What a training step costs. Times are in seconds. */
export interface ProfileReport {
  readonly adapter: string;
  readonly model: ModelName;
  readonly batchSize: number;
  /** The median of steps that were not profiled, from the host's first line to its reading of the loss. */
  readonly stepSeconds: number;
  /** What JavaScript took of it before it waited for the device. */
  readonly hostSeconds: number;
  /** Command buffers of a step. */
  readonly submits: number;
  /** The profiled step: all kernels and copies, one after the other. */
  readonly kernelSeconds: number;
  /** Whether the device took the times itself; else each holds a submit and a wait. */
  readonly stamps: boolean;
  readonly peak: Peak;
  readonly rows: readonly ProfileRow[];
}

/** Steps before the first that is measured: kernels compile, the pool fills, and the third is captured. */
const warming = 3;
const measured = 3;

/** Measures training steps of a fresh network, then profiles one. */
export async function profileTraining(options: ProfileOptions): Promise<ProfileReport> {
  const { model, out } = options;
  const device = await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const of = trainingConfig(model, 'fer2013', {
    epochs: 1,
    ...(options.batchSize === undefined ? {} : { batchSize: options.batchSize }),
  });
  const { batchSize } = of;
  if (out !== undefined) makeFolder(out);
  const peak = await measurePeak();
  const faces = noise(batchSize * (warming + measured + 1));
  const train = { faces, indices: faces.splits.Training as Int32Array };
  using training = new Training({ model, train, protocol: of });
  for (let step = 0; step < warming; step++) await timedStep(training);
  const steps: { readonly host: number; readonly whole: number }[] = [];
  const submitted = currentDevice().submits;
  for (let step = 0; step < measured; step++) steps.push(await timedStep(training));
  const submits = (currentDevice().submits - submitted) / measured;
  const profiled = await profile(() => timedStep(training));
  const rows = profileRows(profiled.spans, peak);
  const report: ProfileReport = {
    adapter: device.facts.name,
    model,
    batchSize,
    stepSeconds: median(steps.map(({ whole }) => whole)),
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

/** One step from an idle device to an idle device. */
async function timedStep(training: Training): Promise<{ host: number; whole: number }> {
  const start = performance.now();
  await training.step();
  const host = (performance.now() - start) / 1000;
  await training.drain();
  return { host, whole: (performance.now() - start) / 1000 };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
