import {
  drawFaces,
  readTraining,
  type StepReport,
  split,
  Training,
  type TrainingConfig,
  trainingConfig,
} from '@mien/fer';
import { FormatError, StateError } from '@mien/nn';
import { assign, memory, ValueError } from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
const begin = (changes: Partial<TrainingConfig> = {}, seed = 1): Training =>
  new Training({
    model: 'nano',
    train: split(faces, 'Training'),
    config: trainingConfig('nano', 'drawn', { epochs: 4, batchSize: 8, ...changes }),
    seed,
    note: { dataset: 'drawn' },
  });

/** Trains the given number of steps and finishes epochs on the way. */
async function steps(training: Training, count: number): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (let i = 0; i < count; i++) {
    if (training.atEpochEnd) {
      reports.push(...(await training.drain()));
      await training.finishEpoch();
    }
    reports.push(...(await training.step()));
  }
  return [...reports, ...(await training.drain())];
}

test('Training has the same losses for a seed, and others for another seed', async () => {
  using a = begin();
  using b = begin();
  using c = begin({}, 2);
  const [first, second, third] = [await steps(a, 3), await steps(b, 3), await steps(c, 3)];
  assert.equal(first, second);
  assert.is.not(first[0]?.loss, third[0]?.loss);
});

test('Training continues exactly from a checkpoint inside an epoch', async () => {
  using whole = begin({ ema: 0.9 });
  const expected = await steps(whole, 6);
  using half = begin({ ema: 0.9 });
  const before = await steps(half, 2);
  const bytes = await half.checkpoint();
  const read = readTraining(bytes);
  using rest = new Training(
    { model: read.name, train: split(faces, 'Training'), config: read.config, seed: read.info.seed },
    read,
  );
  assert.equal(rest.note, { dataset: 'drawn' });
  const after = await steps(rest, 4);
  assert.equal([...before, ...after], expected);
  assert.equal(await rest.checkpoint(), await whole.checkpoint());
});

test('Training on targets that are the labels, as probabilities, is training on the labels', async () => {
  const classes = faces.classes.length;
  const targets = new Float32Array(faces.labels.length * classes);
  for (const [i, label] of faces.labels.entries()) targets[i * classes + label] = 1;
  const train = split(faces, 'Training');
  const of = trainingConfig('nano', 'drawn', { epochs: 4, batchSize: 8, microBatch: 4 });
  using hard = new Training({ model: 'nano', train, config: of });
  using soft = new Training({ model: 'nano', train, config: of, targets });
  const [expected, found] = [await steps(hard, 4), await steps(soft, 4)];
  assert.equal(
    found.map(({ correct }) => correct),
    expected.map(({ correct }) => correct),
  );
  for (const [i, { loss }] of found.entries()) assert.ok(Math.abs(loss - (expected[i]?.loss as number)) < 1e-4);
  targets.fill(1 / classes);
  using vague = new Training({ model: 'nano', train, config: of, targets });
  assert.ok(
    Math.abs((await steps(vague, 1).then(([first]) => first?.loss as number)) - (expected[0]?.loss as number)) > 0.01,
  );
});

test('Training refuses another number of targets', () => {
  const train = split(faces, 'Training');
  const of = trainingConfig('nano', 'drawn');
  assert.throws(
    () => new Training({ model: 'nano', train, config: of, targets: new Float32Array(7) }),
    (reason: unknown) =>
      reason instanceof ValueError && /expected 7 targets for each of \d+ images, got 7 in total/.test(reason.message),
  );
});

test('Training by micro-batches uses the same images per step and continues exactly from a checkpoint', async () => {
  using whole = begin({ batchSize: 14 });
  using one = begin({ batchSize: 14, microBatch: 14 });
  using parts = begin({ batchSize: 14, microBatch: 4 });
  const [all, same, found] = [await steps(whole, 2), await steps(one, 2), await steps(parts, 2)];
  assert.equal(same, all);
  assert.equal(
    found.map(({ images, step }) => [images, step]),
    all.map(({ images, step }) => [images, step]),
  );
  assert.is.not(found[0]?.loss, all[0]?.loss);
  assert.ok(Math.abs((found[0]?.loss as number) - (all[0]?.loss as number)) < 0.5);
  const read = readTraining(await parts.checkpoint());
  assert.is(read.config.microBatch, 4);
  using rest = new Training({ model: 'nano', train: split(faces, 'Training'), config: read.config, seed: 1 }, read);
  assert.equal(await steps(rest, 2), await steps(parts, 2));
});

test('Training halves the loss on fourteen faces within thirty steps', async () => {
  const few = split(faces, 'Training');
  using training = new Training({
    model: 'nano',
    train: { faces, indices: few.indices.subarray(0, 14) },
    config: trainingConfig('nano', 'drawn', { epochs: 30, batchSize: 14, learningRate: 0.1, labelSmoothing: 0 }),
  });
  const reports = await steps(training, 30);
  const [first, last] = [reports[0]?.loss as number, reports.at(-1)?.loss as number];
  assert.ok(last < first / 2, `${first} to ${last}`);
});

test('Training keeps live memory constant after the third step, which is captured', async () => {
  using training = begin();
  await steps(training, 4);
  const { liveBytes } = memory();
  await steps(training, 7);
  // Less is fine: the garbage collector may free tensors of other tests.
  assert.ok(memory().liveBytes <= liveBytes, `${memory().liveBytes} bytes live, ${liveBytes} after the fourth step`);
});

test('Training creates no GPU buffer and no bind group in steady state, and at most four submits per step', async () => {
  using training = begin();
  await steps(training, 8);
  let made = 0;
  const { createBuffer, createBindGroup } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (...words) {
    made++;
    return createBuffer.apply(this, words);
  };
  GPUDevice.prototype.createBindGroup = function (...words) {
    made++;
    return createBindGroup.apply(this, words);
  };
  try {
    // Two epochs, whose last batches are smaller and not captured.
    for (let i = 0; i < 8; i++) {
      const before = currentDevice().submits;
      await steps(training, 1);
      assert.ok(currentDevice().submits - before <= 4, `step ${i} makes ${currentDevice().submits - before} submits`);
    }
  } finally {
    Object.assign(GPUDevice.prototype, { createBuffer, createBindGroup });
  }
  assert.is(made, 0);
});

test('Training names the step at which the loss became NaN', async () => {
  using training = begin();
  for (const weight of training.network.parameters()) assign(weight, new Float32Array(weight.size).fill(Number.NaN));
  try {
    await steps(training, 1);
    assert.unreachable();
  } catch (reason) {
    assert.instance(reason, ValueError);
    assert.match((reason as Error).message, /the loss is NaN at epoch 0, step 0: .*; lower the learning rate/);
  }
});

test('Training.evaluate has the same loss and confusion matrix in one pass or many', async () => {
  using training = begin();
  await steps(training, 2);
  const test = split(faces, 'PublicTest');
  const ten = await training.evaluate(test, { crops: 10 });
  assert.is(ten.matrix.total, 7);
  assert.ok(Number.isFinite(ten.loss) && ten.accuracy >= 0 && ten.accuracy <= 1);
  const one = await training.evaluate(test, { crops: 1 });
  assert.is(one.matrix.total, 7);
});

test('readTraining refuses a cut file, and Training a checkpoint of another network', async () => {
  using training = begin();
  const bytes = await training.checkpoint();
  assert.throws(
    () => readTraining(bytes.subarray(0, 1000), 'a.safetensors'),
    (reason: unknown) => {
      return reason instanceof FormatError && reason.message.startsWith('a.safetensors');
    },
  );
  const read = readTraining(bytes);
  const options = { model: 'small', train: split(faces, 'Training'), config: read.config } as const;
  assert.throws(
    () => new Training(options, read),
    (reason: unknown) => reason instanceof StateError,
  );
});
