// A NaN loss: the last valid checkpoint must not be overwritten.
import { drawFaces, split, Training, trainingConfig } from '@mien/fer';
import { assign } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('Training refuses to make a checkpoint after a NaN loss', async () => {
  const train = split(drawFaces({ training: 2, publicTest: 1, privateTest: 1 }), 'Training');
  using training = new Training({ model: 'nano', train, config: trainingConfig('nano', 'drawn', { batchSize: 7 }) });
  for (const weight of training.network.parameters()) assign(weight, new Float32Array(weight.size).fill(Number.NaN));
  await training.step();
  const message = await training.checkpoint().then(
    () => 'a checkpoint',
    (reason: Error) => reason.message,
  );
  assert.match(
    message,
    /the loss is NaN at epoch 0, step 0: .* in layer features\.\S+ contained NaN .*; lower the learning rate/,
  );
  const again = await training.checkpoint().then(() => 'a checkpoint', String);
  assert.match(again, message);
});

test('Training repeats the steps to name the operation and layer behind a loss that is not finite', async () => {
  const train = split(drawFaces({ training: 4, publicTest: 1, privateTest: 1 }), 'Training');
  const searches: number[] = [];
  const onSearch = (steps: number): void => void searches.push(steps);
  // Each step multiplies the weights, until products overflow.
  const config = trainingConfig('nano', 'drawn', { batchSize: 7, learningRate: 999, clip: null, ema: null, epochs: 9 });
  using training = new Training({ model: 'nano', train, config, onSearch });
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
  assert.is(searches.length, 1);
});
