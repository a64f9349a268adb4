// Unknown options, which JavaScript callers pass: every public function and class of @mien/fer with options refuses them by name.
import { readFileSync } from 'node:fs';
import * as fer from '@mien/fer';
import * as node from '@mien/fer/node';
import { Linear } from '@mien/nn';
import { Generator, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { expectUnknownOption } from '../wrongKinds.ts';

const faces = fer.drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
const train = fer.split(faces, 'Training');

/** The arguments before the options; functions of files with options only have none. */
const before: Readonly<Record<string, readonly unknown[]>> = {
  VGG: ['vgg19'],
  createNetwork: ['nano'],
  evaluateNetwork: [new Linear(1, 1), train],
  explain: ['photo.png'],
  predict: [['photo.png']],
  predictPhoto: ['photo.png'],
  trainingConfig: ['nano', 'drawn'],
  video: ['film.mp4'],
};

/** The names of public functions and classes with options, from api.txt. */
function namesWithOptions(api: string): readonly string[] {
  const names: string[] = [];
  let inClass = '';
  for (const line of api.split('\n')) {
    inClass = /^(?:abstract )?class (\w+)/.exec(line)?.[1] ?? inClass;
    const [, name] = /^function (\w+)\([^\n]*(?:Options|changes\?: )/.exec(line) ?? [];
    if (name) names.push(name);
    if (/^ {4}constructor\([^\n]*Options/.test(line)) names.push(inClass);
  }
  return names;
}

const all: Readonly<Record<string, unknown>> = { ...fer, ...node };
// Base classes are in api.txt, but are not exported.
const names = namesWithOptions(readFileSync('packages/fer/api.txt', 'utf8')).filter((name) => all[name]);

test('api.txt names the functions and classes with options', () => {
  for (const name of ['train', 'VGG', 'Training', 'drawFaces', 'trainingConfig']) {
    ensure(names.includes(name), `expected ${name} among ${names.join(', ')}`);
  }
});

for (const name of names) {
  const value = all[name];
  test(`unknown options of ${name} are refused`, async () => {
    const isClass = String(value).startsWith('class ');
    const make = value as new (...args: unknown[]) => unknown;
    const call = value as (...args: unknown[]) => unknown;
    await expectUnknownOption(name, isClass ? (...args) => new make(...args) : call, () => before[name] ?? []);
  });
}

test('a misspelled option or name is refused with the names that exist', () => {
  const options = { classes: 7, channels: 1, generator: new Generator(1) };
  const messages: Readonly<Record<string, () => unknown>> = {
    "trainingConfig: unknown option 'learningrate'; did you mean 'learningRate'?": () =>
      fer.trainingConfig('nano', 'drawn', { learningrate: 1 } as object),
    "trainingConfig: model must be 'vgg11', ": () => fer.trainingConfig('vgg' as 'vgg19', 'drawn'),
    "trainingConfig: preset must be 'reference' or 'best', got 'good'": () =>
      fer.trainingConfig('nano', 'drawn', {}, 'good' as 'best'),
    "trainingConfig: dataset must be 'fer2013', ": () => fer.trainingConfig('nano', 'fer' as 'drawn'),
    "createNetwork: name must be 'vgg11', ": () => fer.createNetwork('vgg' as 'vgg19', options),
    "SmallNet: unknown option 'seed'; expected 'classes', ": () => new fer.SmallNet({ ...options, seed: 1 } as never),
    'Training: config: epochs must be an integer from 1, got undefined; make one with trainingConfig()': () =>
      new fer.Training({ model: 'nano', train } as never),
    "Training: unknown option 'protocol'; expected 'model', ": () =>
      new fer.Training({ model: 'nano', train, protocol: fer.trainingConfig('nano', 'drawn') } as never),
  };
  for (const [message, call] of Object.entries(messages)) refuses(call, ValueError, message);
});
