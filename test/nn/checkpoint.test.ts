import { AdamW, EMA, FormatError, type HostTensor, Linear, toHost } from '@mien/nn';
import { type CheckpointInfo, readCheckpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { Generator, ones, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const info: CheckpointInfo = {
  model: 'linear',
  classes: ['no', 'yes'],
  input: { channels: 1, height: 44, width: 44 },
  preset: { lr: 0.1 },
  epoch: 3,
  step: 120,
  seed: 7,
  generator: { seed: 7, offset: 12 },
  shuffle: { seed: 7, epoch: 3, batch: 2 },
  extra: { best: 0.5 },
};

async function written(): Promise<Uint8Array> {
  using layer = new Linear(2, 1, { generator: new Generator(1) });
  using optimizer = new AdamW(layer.namedParameters());
  using ema = new EMA(layer);
  layer
    .forward(ones([1, 2]))
    .sum()
    .backward();
  optimizer.step();
  optimizer.zeroGrad();
  return writeCheckpoint({ info, model: layer.stateDict(), optimizer: optimizer.stateDict(), ema: ema.stateDict() });
}

test('readCheckpoint gives back what writeCheckpoint was given', async () => {
  const bytes = await written();
  const checkpoint = readCheckpoint(bytes);
  ensure(JSON.stringify(checkpoint.info) === JSON.stringify(info), JSON.stringify(checkpoint.info));
  const names = [checkpoint.model, checkpoint.optimizer, checkpoint.ema].map((part) =>
    [...part.keys()].sort().join(' '),
  );
  const slots = ['bias', 'weight'].flatMap((name) =>
    ['exp_avg', 'exp_avg_sq', 'step'].map((slot) => `${name}.${slot}`),
  );
  ensure(names.join('; ') === ['bias weight', slots.join(' '), 'bias weight'].join('; '), names.join('; '));
  const again = await writeCheckpoint(checkpoint);
  ensure(bytes.join() === again.join(), 'written again it has other bytes');
});

test('a checkpoint is one safetensors file with prefixed names and JSON metadata', async () => {
  const { tensors, metadata } = readSafetensors(await written());
  for (const name of ['weight', 'optimizer.weight.exp_avg', 'ema.bias'])
    ensure(tensors.has(name), `${name} is missing`);
  const json = JSON.parse(metadata.get('mien') ?? 'null');
  ensure(json.format === 1 && json.step === 120, String(metadata.get('mien')));
});

const edited = (change: Readonly<Record<string, unknown>>): Uint8Array =>
  writeSafetensors(new Map(), new Map([['mien', JSON.stringify({ format: 1, ...info, ...change })]]));

const nan: HostTensor = { shape: [1], dtype: 'float32', data: Float32Array.of(Number.NaN) };

/** Each broken checkpoint, and the sentence that must refuse it. */
const hostile: Readonly<Record<string, readonly [bytes: () => Uint8Array, sentence: string]>> = {
  'plain safetensors': [() => writeSafetensors(new Map()), 'last: metadata mien: missing; it is not a checkpoint'],
  'metadata that is not JSON': [
    () => writeSafetensors(new Map(), new Map([['mien', '{']])),
    'last: metadata mien: not JSON',
  ],
  'metadata that is a list': [() => writeSafetensors(new Map(), new Map([['mien', '[]']])), 'an object is expected'],
  'a format of the future': [
    () => edited({ format: 2 }),
    'metadata mien.format: this version reads format 1, the file has 2',
  ],
  'a negative epoch': [() => edited({ epoch: -1 }), 'metadata mien.epoch: expects a whole number from 0 on, has -1'],
  'a missing step': [
    () => edited({ step: undefined }),
    'metadata mien.step: expects a whole number from 0 on, has undefined',
  ],
  'classes that are not names': [() => edited({ classes: [1] }), 'metadata mien.classes: expects names, has [1]'],
  'a generator without offset': [
    () => edited({ generator: { seed: 1 } }),
    'metadata mien.generator: expects seed and offset',
  ],
  'a NaN among the weights': [() => writeSafetensors(new Map([['w', nan]])), 'last: tensor w: element 0 is NaN'],
};

for (const [what, [bytes, sentence]] of Object.entries(hostile)) {
  test(`readCheckpoint refuses ${what}`, () => {
    refuses(() => readCheckpoint(bytes(), { file: 'last' }), FormatError, sentence);
  });
}

test('writeCheckpoint refuses a model whose names read as optimiser state', async () => {
  let message = '';
  const model = await toHost(new Map([['optimizer.x', ones([1])]]));
  await writeCheckpoint({ info, model }).catch((reason) => {
    message = reason instanceof ValueError ? reason.message : '';
  });
  ensure(message.includes('optimizer.x reads as optimiser state'), message);
});
