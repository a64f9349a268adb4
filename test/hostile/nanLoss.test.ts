// Weights that turned into NaN: the next loss is NaN, and no checkpoint may be written over the last good one.
import { drawFaces, split, Training, trainingConfig } from '@mien/fer';
import { assign } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('Training refuses a NaN loss, and to take a checkpoint after it', async () => {
  const train = split(drawFaces({ training: 2, publicTest: 1, privateTest: 1 }), 'Training');
  using training = new Training({ model: 'nano', train, protocol: trainingConfig('nano', 'drawn', { batchSize: 7 }) });
  for (const weight of training.network.parameters()) assign(weight, new Float32Array(weight.size).fill(Number.NaN));
  await training.step();
  const message = await training.checkpoint().then(
    () => 'a checkpoint',
    (reason: Error) => reason.message,
  );
  assert.match(
    message,
    /the loss is NaN at epoch 0, step 0: .* in layer features\.\S+ held NaN .*; lower the learning rate/,
  );
  const again = await training.checkpoint().then(() => 'a checkpoint', String);
  assert.match(again, message);
});

test('Training names the operation and the layer of a loss that is not finite, by the same steps again', async () => {
  const train = split(drawFaces({ training: 4, publicTest: 1, privateTest: 1 }), 'Training');
  const searched: number[] = [];
  const onSearch = (steps: number): void => void searched.push(steps);
  // Weights grow by a factor a step until products overflow.
  const of = trainingConfig('nano', 'drawn', { batchSize: 7, learningRate: 999, clip: null, ema: null, epochs: 9 });
  using training = new Training({ model: 'nano', train, protocol: of, onSearch });
  const message = await (async () => {
    for (;;) {
      if (training.atEpochEnd) await training.finishEpoch();
      await training.step();
    }
  })().then(String, (reason: Error) => reason.message);
  assert.match(
    message,
    /^training: the loss is \S+ at epoch \d+, step \d+: .* in layer \S+ .*; lower the learning rate/,
  );
  assert.is(searched.length, 1);
});
