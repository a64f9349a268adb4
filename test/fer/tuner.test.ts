// Training with the tuner on and off, and with winners that nobody would choose.
import { drawFaces, protocol, split, Training } from '@mien/fer';
import { init, tune } from '@mien/tensor';
import { summed } from '@mien/tensor/reference';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { changeKept, withOwnStore } from '../tensor/tunerKit.ts';

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
const steps = 50;
const batchSize = 8;
/** Low: at the protocol's own rate any change of rounding grows twentyfold a step, through ReLU's kinks and small batches. */
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
  const recipe = protocol('nano', 'drawn', { epochs: 50, batchSize, learningRate });
  return new Training({ model: 'nano', train: split(faces, 'Training'), protocol: recipe });
}

/** Rounding errors of all steps: each has sums over the pixels of a batch, the longest of them in the stem's gradient. */
const terms = steps * batchSize * 44 * 44;

test(
  'Training for fifty steps gives the same losses with the tuner off, on, and with winners that differ',
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
      nearValues(await losses(), summed(off, terms));
      await changeKept((entry) => {
        const others = Object.keys(entry.ways).filter((way) => way !== entry.way);
        entry.way = others.at(-1) ?? entry.way;
      });
      const forced = await losses();
      ensure(forced.join() !== off.join(), 'other kernels ran');
      nearValues(forced, summed(off, terms));
    }),
  { seconds: 400 },
);
