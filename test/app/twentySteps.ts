// Twenty steps of `nano` from one seed, or the rest of them from a checkpoint: the same function in Node and in Chromium.
import { drawFaces, readTraining, split, Training, trainingConfig } from '@mien/fer';
import { init } from '@mien/tensor';

/** What one side saw. */
export interface Steps {
  readonly adapter: string;
  /** The loss of each step that it made. */
  readonly losses: readonly number[];
  /** The bytes of the checkpoint after its last step. */
  readonly checkpoint: readonly number[];
}

/** Trains up to step `until`, from the start or from the bytes of a checkpoint. */
export async function twentySteps(until: number, from?: readonly number[]): Promise<Steps> {
  const { facts } = await init();
  const faces = drawFaces({ seed: 3, training: 8, publicTest: 1, privateTest: 1 });
  const recipe = trainingConfig('nano', 'drawn', { epochs: 3, batchSize: 8 });
  const options = { model: 'nano', train: split(faces, 'Training'), protocol: recipe, seed: 3 } as const;
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
