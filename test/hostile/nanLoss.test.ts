// Weights that turned into NaN: the next loss is NaN, and no checkpoint may be written over the last good one.
import { drawFaces, protocol, split, Training } from '@mien/fer';
import { assign } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const sentence = 'the loss is NaN at epoch 0, step 0; lower the learning rate';

test('Training refuses a NaN loss, and to take a checkpoint after it', async () => {
  const train = split(drawFaces({ training: 2, publicTest: 1, privateTest: 1 }), 'Training');
  using training = new Training({ model: 'nano', train, protocol: protocol('nano', 'drawn', { batchSize: 7 }) });
  for (const weight of training.network.parameters()) assign(weight, new Float32Array(weight.size).fill(Number.NaN));
  await training.step();
  const message = await training.checkpoint().then(
    () => 'a checkpoint',
    (reason: Error) => reason.message,
  );
  assert.match(message, sentence);
});
