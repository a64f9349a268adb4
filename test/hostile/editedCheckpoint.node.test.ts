import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '@mien/fer/node';
import { readSafetensors, type Safetensors, writeSafetensors } from '@mien/nn/safetensors';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, rejected, validRun } from './kit.ts';

type Info = Record<string, unknown>;
type Tensors = Map<string, Safetensors['tensors'] extends ReadonlyMap<string, infer T> ? T : never>;

/** Edits of a checkpoint, and the expected messages. */
const edits: readonly (readonly [name: string, edit: (info: Info, tensors: Tensors) => void, message: string])[] = [
  [
    'an unknown model',
    (info) => (info.model = 'vgg20'),
    'expected a network of vgg11, vgg13, vgg16, vgg19, resnet18, resnet34, small, nano, got vgg20',
  ],
  ['a missing configuration', (info) => (info.preset = {}), 'epochs must be an integer from 1, got undefined'],
  ['a configuration that is null', (info) => (info.preset = null), 'epochs must be an integer from 1, got undefined'],
  [
    'a learning rate that is a string',
    (info) => ((info.preset as Info).learningRate = 'fast'),
    'learningRate must be a number above 0 and below 1000, got "fast"',
  ],
  [
    'an input without channels',
    (info) => ((info.preset as Info).input = {}),
    'input must be channels and size from 1, a mean and a positive std, got {}',
  ],
  ['a batch size of 0', (info) => ((info.preset as Info).batchSize = 0), 'batchSize must be an integer from 2, got 0'],
  ['a step of -1', (info) => (info.step = -1), 'metadata mien.step: expected a non-negative integer, got -1'],
  [
    'a batch beyond the end of the epoch',
    (info) => ((info.shuffle as Info).batch = 99),
    'DataLoader: expected a position within 2 batches per epoch, got epoch 1, batch 99',
  ],
  ['classes of other data', (info) => (info.classes = ['cat', 'dog']), 'has the classes cat, dog'],
  [
    'a note that is a word',
    (info) => (info.extra = 'note'),
    'note must be names with numbers, text or null, got undefined',
  ],
  ['data that is a number', (info) => ((info.extra as Info).note = { data: 7 }), 'note.data is 7'],
  ['a missing tensor', (_, tensors) => tensors.delete('classifier.weight'), 'missing classifier.weight'],
  [
    'an unknown tensor',
    (_, tensors) => tensors.set('spare', { shape: [1], dtype: 'float32', data: Float32Array.of(1) }),
    'unexpected spare',
  ],
  [
    'a tensor of the wrong shape',
    (_, tensors) => tensors.set('classifier.bias', { shape: [6], dtype: 'float32', data: new Float32Array(6) }),
    'loadStateDict: classifier.bias: expected float32 [7], got float32 [6]',
  ],
  [
    'an incomplete optimizer state',
    (_, tensors) => tensors.delete('optimizer.classifier.bias.momentum_buffer'),
    'expected the momentum of',
  ],
];

for (const [name, edit, message] of edits) {
  test(`train refuses to resume a checkpoint edited to have ${name}, and changes no file`, () =>
    inFolder(async (folder) => {
      const run = await validRun(folder);
      const path = join(run, 'last.safetensors');
      const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
      const info = JSON.parse(metadata.get('mien') ?? '');
      const changed: Tensors = new Map(tensors);
      edit(info, changed);
      writeFileSync(path, writeSafetensors(changed, new Map([['mien', JSON.stringify(info)]])));
      const before = contentOf(run);
      await rejected(train({ resume: run }), message);
      ensure(contentOf(run) === before, 'a file of the run changed');
    }));
}
