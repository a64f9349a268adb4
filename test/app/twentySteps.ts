// Twenty training steps of `nano`, from the start or from a checkpoint, in Node or Chromium.
import { drawFaces, readTraining, split, Training, trainingConfig } from '@mien/fer';
import { init } from '@mien/tensor';

/** Result of twentySteps. */
export interface Steps {
  readonly adapter: string;
  /** The loss of each step. */
  readonly losses: readonly number[];
  /** The checkpoint after the last step. */
  readonly checkpoint: readonly number[];
}

/** Trains up to step `until`, from the start or from a checkpoint. */
export async function twentySteps(until: number, from?: readonly number[]): Promise<Steps> {
  const { facts } = await init();
  const faces = drawFaces({ seed: 3, training: 8, publicTest: 1, privateTest: 1 });
  const config = trainingConfig('nano', 'drawn', { epochs: 3, batchSize: 8 });
  const options = { model: 'nano', train: split(faces, 'Training'), config, seed: 3 } as const;
  const training = new Training(options, from ? readTraining(Uint8Array.from(from)) : undefined);
  const losses: number[] = [];
  while (training.steps < until) {
    losses.push(...(await training.step()).map(({ loss }) => loss));
    if (!training.atEpochEnd && training.steps < until) continue;
    losses.push(...(await training.drain()).map(({ loss }) => loss));
    if (training.atEpochEnd) await training.finishEpoch();
  }
  const checkpoint = Array.from(await training.checkpoint());
  training.dispose();
  return { adapter: facts.name, losses, checkpoint };
}
