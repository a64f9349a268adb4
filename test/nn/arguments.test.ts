// Arguments of wrong kinds and unknown options: every public function, class and layer of @mien/nn throws a MienError.
import * as nn from '@mien/nn';
import { readCheckpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import { readPytorch, writePytorch } from '@mien/nn/pytorch';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { Generator, ones, scope, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { type Example, expectMienErrors } from '../wrongKinds.ts';

const image = (): Tensor => ones([2, 2, 4, 4]);
const labels = (): Tensor => tensor(Int32Array.of(1, 0));
const layer = (): nn.Linear => new nn.Linear(3, 2);
const withGradient = (): Tensor => {
  const leaf = ones([2], { requiresGrad: true });
  leaf.grad = ones([2]);
  return leaf;
};
const host = (): nn.HostTensor => ({ shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) });
const state = (): ReadonlyMap<string, nn.HostTensor> => new Map([['w', host()]]);
const info = {
  ...{ model: 'm', classes: [], input: null, preset: null, epoch: 0, step: 0, seed: 0 },
  ...{ generator: { seed: 0, offset: 0 }, shuffle: { seed: 0, epoch: 0, batch: 0 } },
};
const loader = { batchSize: 1, collate: (samples: readonly unknown[]) => samples };

const functions: Readonly<Record<string, Example>> = {
  defaultCollate: () => [[host(), host()]],
  stackRows: () => [[[host()], [host()]]],
  calculateGain: () => ['relu', 0],
  kaimingNormal: () => [[2, 3], {}],
  kaimingUniform: () => [[2, 3], {}],
  xavierNormal: () => [[2, 3], {}],
  xavierUniform: () => [[2, 3], {}],
  normal: () => [[2], 1, {}],
  uniform: () => [[2], 1, {}],
  binaryCrossEntropyWithLogits: () => [ones([2]), ones([2]), {}],
  crossEntropy: () => [ones([2, 3]), labels(), {}],
  mseLoss: () => [ones([2]), zeros([2]), {}],
  nllLoss: () => [ones([2, 3]), labels(), {}],
  l1Loss: () => [ones([2]), zeros([2]), {}],
  smoothL1Loss: () => [ones([2]), zeros([2]), {}],
  huberLoss: () => [ones([2]), zeros([2]), {}],
  klDiv: () => [ones([2]), zeros([2]), {}],
  buffer: () => [ones([2])],
  parameter: () => [ones([2])],
  clipGradNorm: () => [[withGradient()], 1],
  clipGradientNorm: () => [[withGradient()], 1],
  clipGradientValue: () => [[withGradient()], 1],
  clipGradValue: () => [[withGradient()], 1],
  cosine: () => [3, 0],
  cosineAnnealingLR: () => [3, 0],
  cosineAnnealingWarmRestarts: () => [{ period: 3 }],
  exponentialLR: () => [0.5],
  multiStepLR: () => [{ milestones: [1], gamma: 0.5 }],
  stepLR: () => [{ stepSize: 1, gamma: 0.5 }],
  warmUp: () => [3, () => 1],
  toHost: () => [state()],
  readCheckpoint: () => [new Uint8Array(9), {}],
  writeCheckpoint: () => [{ info, model: state() }, {}],
  readPytorch: () => [writePytorch({ w: host() }), {}],
  writePytorch: () => [{ w: host() }],
  readSafetensors: () => [writeSafetensors(state()), {}],
  writeSafetensors: () => [state(), new Map(), {}],
};

const classes: Readonly<Record<string, Example>> = {
  ArrayDataset: () => [host()],
  DataLoader: () => [new nn.ArrayDataset(host()), loader],
  GELU: () => [],
  LeakyReLU: () => [0.1],
  ReLU: () => [],
  Sigmoid: () => [],
  SiLU: () => [],
  Tanh: () => [],
  Flatten: () => [1, -1],
  Unflatten: () => [1, [3, -1]],
  Identity: () => [],
  Sequential: () => [layer()],
  Conv2d: () => [2, 4, 3, { padding: 1 }],
  ConvTranspose2d: () => [2, 4, 3, { stride: 2 }],
  Dropout: () => [0.5, {}],
  Linear: () => [3, 2, {}],
  Embedding: () => [3, 2, { paddingIdx: 0 }],
  LayerNorm: () => [3, {}],
  RMSNorm: () => [[3], {}],
  MultiheadAttention: () => [4, 2, {}],
  BatchNorm1d: () => [3, {}],
  BatchNorm2d: () => [2, {}],
  AdaptiveAvgPool2d: () => [2],
  AvgPool2d: () => [2, {}],
  MaxPool2d: () => [2, {}],
  Module: 'abstract',
  Optimizer: 'abstract',
  Adam: () => [layer().namedParameters(), {}],
  AdamW: () => [layer().namedParameters(), {}],
  SGD: () => [layer().namedParameters(), { lr: 0.1 }],
  EMA: () => [layer(), {}],
  ReduceLROnPlateau: () => [{}],
};

const ofImage = (): readonly Tensor[] => [image()];
const sequence = (): Tensor => ones([3, 2, 4]);
/** The inputs of layers by class; others take [2, 3]. */
const inputs: Readonly<Record<string, () => readonly Tensor[]>> = {
  Conv2d: ofImage,
  ConvTranspose2d: ofImage,
  BatchNorm2d: ofImage,
  AdaptiveAvgPool2d: ofImage,
  AvgPool2d: ofImage,
  MaxPool2d: ofImage,
  Embedding: () => [labels()],
  MultiheadAttention: () => [sequence(), sequence(), sequence()],
};
const inputsOf = (name: string): readonly Tensor[] => inputs[name]?.() ?? [ones([2, 3])];

const files = { readCheckpoint, readPytorch, readSafetensors, writeCheckpoint, writePytorch, writeSafetensors };
const all = { ...nn, ...files };
/** Whether a value is a class, even if its calls are counted. */
const isClass = (value: unknown): boolean =>
  typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;

for (const [name, value] of Object.entries(all)) {
  if (typeof value !== 'function' || Object.prototype.isPrototypeOf.call(Error, value)) continue;
  const example = (isClass(value) ? classes : functions)[name];
  test(`${name} throws a MienError for arguments of the wrong kind`, async () => {
    ensure(example !== undefined, `give ${name} an example in this file`);
    if (typeof example === 'string') return;
    const make = value as unknown as new (...args: unknown[]) => unknown;
    const call = value as unknown as (...args: unknown[]) => unknown;
    await expectMienErrors(name, isClass(value) ? (...args) => new make(...args) : call, example);
    const made = isClass(value) ? new make(...example()) : null;
    if (!(made instanceof nn.Module)) return;
    const forward = (made as nn.Layer).forward.bind(made) as (...args: unknown[]) => unknown;
    await expectMienErrors(`${name}.forward`, forward, () => [...inputsOf(name), {}]);
  });
}

const methods: Readonly<
  Record<string, readonly [fn: (...args: never[]) => unknown, example: () => readonly unknown[]]>
> = {
  'Module.loadStateDict': [(a, b) => layer().loadStateDict(a, b), () => [layer().stateDict(), {}]],
  'Module.setRequiresGrad': [(a) => layer().setRequiresGrad(a), () => [true]],
  'Optimizer.loadStateDict': [
    (a) => new nn.AdamW(layer().namedParameters()).loadStateDict(a),
    () => [new Map([['weight.exp_avg', host()]])],
  ],
  'Optimizer.step': [(a) => new nn.SGD([withGradient()], { lr: 1 }).step(a), () => [{ kind: 'norm', limit: 1 }]],
  'EMA.applied': [(a) => new nn.EMA(layer()).applied(a), () => [() => 1]],
  'EMA.loadStateDict': [(a) => new nn.EMA(layer()).loadStateDict(a), () => [layer().stateDict()]],
  'DataLoader.loadState': [
    (a) => new nn.DataLoader(new nn.ArrayDataset(host()), loader).loadState(a),
    () => [{ seed: 0, epoch: 0, batch: 0 }],
  ],
  'ReduceLROnPlateau.step': [(a) => new nn.ReduceLROnPlateau().step(a), () => [1]],
  'ReduceLROnPlateau.loadState': [
    (a) => new nn.ReduceLROnPlateau().loadState(a),
    () => [{ lrFactor: 1, best: null, waited: 0 }],
  ],
};
for (const [name, [fn, example]] of Object.entries(methods)) {
  test(`${name} throws a MienError for arguments of the wrong kind`, () =>
    expectMienErrors(name, fn as (...args: unknown[]) => unknown, example));
}

/** Arguments that are plain objects, but no options. */
const data: Readonly<Record<string, string>> = {
  ArrayDataset: 'columns are host tensors',
  'DataLoader.loadState': 'a saved state',
  'ReduceLROnPlateau.loadState': 'a saved state',
  writePytorch: 'any value can be written',
};

/**
 * Calls `fn` with a misspelled option in each of its options, and with options after its last argument. Throws Mismatch where
 * options are read and the misspelled one is not refused.
 */
async function expectUnknownOptionsRefused(
  name: string,
  fn: (...args: unknown[]) => unknown,
  example: () => readonly unknown[],
): Promise<void> {
  for (let place = 0; place <= example().length; place++) {
    const given = example()[place] ?? {};
    if (Object.getPrototypeOf(given) !== Object.prototype) continue;
    let read = false;
    const noted = <T>(value: T): T => {
      read = true;
      return value;
    };
    const options = new Proxy<object>(
      { ...given, mispelled: 1 },
      {
        get: (target, key) => noted(Reflect.get(target, key)),
        has: (target, key) => noted(Reflect.has(target, key)),
        ownKeys: (target) => noted(Reflect.ownKeys(target)),
      },
    );
    let reason: unknown = null;
    try {
      const args = [...example()];
      args[place] = options;
      let result: unknown;
      scope(() => {
        result = fn(...args);
      });
      await result;
    } catch (error) {
      reason = error;
    }
    const refused = reason instanceof ValueError && reason.message.includes("unknown option 'mispelled'");
    // After the last argument, an error of another kind concerns an argument that is not options.
    ensure(
      refused || !read || (place === example().length && reason !== null),
      `${name}, argument ${place}: ${reason}`,
    );
  }
}

for (const [name, value] of Object.entries(all)) {
  const example = (isClass(value) ? classes : functions)[name];
  if (typeof example !== 'function' || data[name]) continue;
  const make = value as unknown as new (...args: unknown[]) => unknown;
  const call = value as unknown as (...args: unknown[]) => unknown;
  test(`${name} refuses unknown options`, async () => {
    await expectUnknownOptionsRefused(name, isClass(value) ? (...args) => new make(...args) : call, example);
    const made = isClass(value) ? new make(...example()) : null;
    if (!(made instanceof nn.Module)) return;
    const forward = (made as nn.Layer).forward.bind(made) as (...args: unknown[]) => unknown;
    await expectUnknownOptionsRefused(`${name}.forward`, forward, () => inputsOf(name));
    await expectUnknownOptionsRefused(`${name}.forward`, forward, () => [...inputsOf(name), {}]);
  });
}

for (const [name, [fn, example]] of Object.entries(methods)) {
  if (data[name]) continue;
  test(`unknown options of ${name} are refused`, async () => {
    await expectUnknownOptionsRefused(name, fn as (...args: unknown[]) => unknown, example);
  });
}

test('a misspelled option is refused with the name that was meant', () => {
  const messages: Readonly<Record<string, () => unknown>> = {
    "Conv2d: unknown option 'pading'; did you mean 'padding'?": () => new nn.Conv2d(1, 2, 3, { pading: 1 } as object),
    "crossEntropy: unknown option 'label_smoothing'; did you mean 'labelSmoothing'?": () =>
      nn.crossEntropy(ones([2, 3]), labels(), { label_smoothing: 0.1 } as object),
    "crossEntropy: reduction must be 'mean', 'sum' or 'none', got 'avg'": () =>
      nn.crossEntropy(ones([2, 3]), labels(), { reduction: 'avg' as 'mean' }),
    "SGD: unknown option 'learningRate'; expected 'lr', 'momentum', 'nesterov' or 'weightDecay'": () =>
      new nn.SGD(layer().namedParameters(), { lr: 1, learningRate: 1 } as { lr: number }),
    "AdamW with a parameter group: unknown option 'weightdecay'; did you mean 'weightDecay'?": () =>
      new nn.AdamW([{ params: layer().namedParameters(), weightdecay: 0 } as object] as never),
    "stepLR: unknown option 'step_size'; did you mean 'stepSize'?": () =>
      nn.stepLR({ step_size: 1, gamma: 0.5 } as never),
    "readSafetensors: unknown option 'refuseNan'; did you mean 'refuseNaN'?": () =>
      readSafetensors(writeSafetensors(state()), { refuseNan: true } as object),
  };
  for (const [message, call] of Object.entries(messages)) refuses(call, ValueError, message);
});

/** Constructors with arguments that their operation would refuse in forward. */
const refused: Readonly<Record<string, () => unknown>> = {
  'channels that groups do not divide': () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
  'outputs that groups do not divide': () => new nn.Conv2d(4, 3, 3, { groups: 2 }),
  'channels of a transpose that groups do not divide': () => new nn.ConvTranspose2d(3, 4, 3, { groups: 2 }),
  'half a channel': () => new nn.Conv2d(1.5, 4, 3),
  'a window of 0': () => new nn.Conv2d(1, 1, 0),
  'a window of half a pixel': () => new nn.Conv2d(1, 1, [1, 1.5]),
  'a window of three sizes': () => new nn.Conv2d(1, 1, [1, 1, 1] as never),
  'a stride of 0': () => new nn.Conv2d(1, 1, 1, { stride: 0 }),
  'negative padding': () => new nn.Conv2d(1, 1, 1, { padding: -1 }),
  'a dilation of 0': () => new nn.Conv2d(1, 1, 1, { dilation: 0 }),
  'groups of 1.5': () => new nn.Conv2d(3, 3, 1, { groups: 1.5 }),
  'an outputPadding of the stride': () => new nn.ConvTranspose2d(1, 1, 3, { stride: 2, outputPadding: 2 }),
  'padding of more than half a pooling window': () => new nn.MaxPool2d(2, { padding: 2 }),
  'a pooling stride of 0': () => new nn.AvgPool2d(2, { stride: 0 }),
  'a pooling dilation of 0': () => new nn.MaxPool2d(2, { dilation: 0 }),
  'an adaptive size of 0': () => new nn.AdaptiveAvgPool2d(0),
  'half a feature': () => new nn.Linear(1.5, 2),
  'no outputs': () => new nn.Linear(2, 0),
  'no features': () => new nn.BatchNorm1d(0),
  'a negative eps': () => new nn.BatchNorm2d(2, { eps: -1 }),
  'a momentum of 2': () => new nn.BatchNorm2d(2, { momentum: 2 }),
  'a probability of 1.5': () => new nn.Dropout(1.5),
  'a slope that is NaN': () => new nn.LeakyReLU(Number.NaN),
  'a generator that is a seed': () => new nn.Linear(2, 2, { generator: 3 as never }),
  'a decay of 1': () => new nn.EMA(layer(), { decay: 1 }),
  'a negative learning rate': () => new nn.SGD(layer().namedParameters(), { lr: -1 }),
  'a beta of 1': () => new nn.Adam(layer().namedParameters(), { betas: [0.9, 1] }),
};
for (const [what, make] of Object.entries(refused)) {
  test(`a constructor refuses ${what}`, () => {
    let made: unknown = null;
    try {
      made = make();
    } catch {}
    ensure(made === null, 'it was made');
  });
}

test('layers with p = 1, no bias and windows in pairs can be constructed and called', async () => {
  const x = ones([2, 3], { requiresGrad: true });
  const y = new nn.Dropout(1).forward(x);
  ensure(
    (await y.data()).every((value) => value === 0),
    'p = 1 gives zeros',
  );
  y.sum().backward();
  ensure(
    (await (x.grad as Tensor).data()).every((value) => value === 0),
    'and no gradient',
  );
  const dropout = new nn.Dropout(1, { generator: new Generator(1) }).eval();
  ensure(dropout.forward(x) === x, 'in evaluation it is the identity');
});
