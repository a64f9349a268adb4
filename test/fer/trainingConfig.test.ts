import { learningRate, MODELS, PRESETS, type TrainingConfig, trainingConfig } from '@mien/fer';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, not ${expected}`);

test('trainingConfig of the reference decays by 0.9 every 5 epochs after 80 on FER2013, by 0.8 an epoch after 20 on CK+', () => {
  const fer = trainingConfig('vgg19', 'fer2013');
  for (const [epoch, expected] of [
    [0, 0.01],
    [80, 0.01],
    [84, 0.01],
    [85, 0.009],
    [89, 0.009],
    [90, 0.0081],
    [249, 0.01 * 0.9 ** 33],
  ]) {
    close(learningRate(fer, epoch as number), expected as number);
  }
  const ck = trainingConfig('resnet18', 'ck+');
  for (const [epoch, expected] of [
    [20, 0.01],
    [21, 0.008],
    [22, 0.0064],
    [59, 0.01 * 0.8 ** 39],
  ]) {
    close(learningRate(ck, epoch as number), expected as number);
  }
});

test('trainingConfig of the compact networks warms up, then falls along a cosine to nearly 0', () => {
  const small = trainingConfig('small', 'fer2013');
  const rates = Array.from({ length: 50 * 10 }, (_, i) => learningRate(small, Math.floor(i / 10), i % 10, 10));
  assert.ok(rates.slice(1, 20).every((rate, i) => rate > (rates[i] as number)));
  assert.ok(rates.slice(21).every((rate, i) => rate < (rates[20 + i] as number)));
  close(rates[20] as number, 0.1);
  assert.ok((rates.at(-1) as number) < 1e-5 && (rates[0] as number) > 0);
});

test('trainingConfig feeds the reference 3 channels in 0..1 and the compact networks one, centered', () => {
  assert.equal(trainingConfig('vgg19', 'ck+').input, { channels: 3, size: 44, mean: 0, std: 1 });
  assert.equal(trainingConfig('nano', 'ck+').input, { channels: 1, size: 44, mean: 0.5, std: 0.25 });
});

test('trainingConfig has both presets for every network', () => {
  for (const model of MODELS) {
    const [reference, best] = PRESETS.map((preset) => trainingConfig(model, 'fer2013', {}, preset)) as [
      TrainingConfig,
      TrainingConfig,
    ];
    assert.equal([reference.epochs, reference.batchSize, reference.learningRate], [250, 128, 0.01]);
    assert.equal([reference.clip, reference.augmentation, reference.ema], [{ kind: 'value', limit: 0.1 }, null, null]);
    assert.equal([reference.input.mean, reference.input.std], [0, 1]);
    assert.is(best.schedule.kind, 'cosine');
    assert.ok(best.augmentation && best.ema && best.nesterov);
    assert.is(best.input.channels, reference.input.channels);
  }
});

test('trainingConfig refuses numbers out of range by name', () => {
  assert.throws(() => trainingConfig('nano', 'drawn', { epochs: 0 }), /epochs must be .* got 0/);
  assert.throws(() => trainingConfig('nano', 'drawn', { learningRate: Number.NaN }), /learningRate must be .* got NaN/);
  assert.throws(() => trainingConfig('nano', 'drawn', { batchSize: 1 }), /batchSize must be .* got 1/);
  const augmentation = { rotation: 12, scale: 1, shift: 4, light: 0, erasing: 0 };
  assert.throws(() => trainingConfig('nano', 'drawn', { augmentation }), /augmentation must be .*scale/);
});
