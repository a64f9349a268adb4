// Training with the tuner on and off, and with arbitrary winners.
import { drawFaces, split, Training, trainingConfig } from '@mien/fer';
import { init, tune } from '@mien/tensor';
import { type Values, within } from '@mien/tensor/reference';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { changeKept, withOwnStore } from '../tensor/tunerKit.ts';

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
const steps = 50;
const batchSize = 8;
/** Low: at the preset's rate any rounding difference grows twentyfold per step, due to ReLU's kinks and small batches. */
const learningRate = 1e-4;

/** The losses of fifty steps of nano. */
async function losses(): Promise<number[]> {
  using training = begin();
  const found: number[] = [];
  while (training.steps < steps) {
    if (training.atEpochEnd) {
      found.push(...(await training.drain()).map(({ loss }) => loss));
      await training.finishEpoch();
    }
    found.push(...(await training.step()).map(({ loss }) => loss));
  }
  return [...found, ...(await training.drain()).map(({ loss }) => loss)];
}

function begin(): Training {
  const recipe = trainingConfig('nano', 'drawn', { epochs: 50, batchSize, learningRate });
  return new Training({ model: 'nano', train: split(faces, 'Training'), config: recipe });
}

/** Steps amplify the rounding differences of kernels to 3e-5 of a loss after fifty steps; a step changes it by far more than 1e-3. */
const alike = (list: readonly number[]): Values =>
  within({ shape: [list.length], data: Float64Array.from(list) }, (loss) => 1e-3 * Math.abs(loss));

test(
  'Training for fifty steps has the same losses with the tuner off, on, and with other winners',
  () =>
    withOwnStore(async () => {
      await init({ tune: false });
      const off = await losses();
      using throwaway = begin();
      const found = await tune(
        async () => {
          await throwaway.step();
          await throwaway.drain();
        },
        { secondsToCompile: 2 },
      );
      ensure(found.length > 10, `${found.length} operations and shapes`);
      nearValues(await losses(), alike(off));
      await changeKept((entry) => {
        const others = Object.keys(entry.ways).filter((way) => way !== entry.way);
        entry.way = others.at(-1) ?? entry.way;
      });
      const forced = await losses();
      ensure(forced.join() !== off.join(), 'other kernels ran');
      nearValues(forced, alike(off));
    }),
  { seconds: 400 },
);
