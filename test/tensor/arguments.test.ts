// Arguments of the wrong kind: every public function of @mien/tensor and every method of Tensor throws a MienError.
import * as mien from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { type Example, expectMienErrors, expectUnknownOption } from '../wrongKinds.ts';

const { Generator, ones, Tensor, tensor, zeros } = mien;
const x = (): mien.Tensor => ones([2, 3]);
const image = (): mien.Tensor => ones([2, 2, 4, 4]);
const labels = (): mien.Tensor => tensor(Int32Array.of(1, 0));
const indices = (): mien.Tensor => tensor({ shape: [2, 3], data: Int32Array.of(0, 1, 2, 2, 1, 0) });
const channels = (): mien.Tensor => ones([2]);
const doubled = (y: mien.Tensor): mien.Tensor => y.mul(2).sum();
const incrementing = mien.kernel(`
struct Params { by: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1)
fn incrementBy() { x[0] += params.by; }
`);

const norm = { weight: null, bias: null, training: false };
const usesDevice = 'it is called by the test of its own: it changes or times the device';
const readsFiles = 'its arguments are folders and names of the adapter store, tested with the tuner';

const functions: Readonly<Record<string, Example>> = {
  detectAnomaly: () => [() => x().log(), {}],
  inspect: () => ['own', x(), { x: x() }],
  checkpoint: () => [doubled, ones([2], { requiresGrad: true })],
  grad: () => {
    const leaf = ones([2], { requiresGrad: true });
    return [leaf.square().sum(), [leaf], {}];
  },
  gradEnabled: () => [],
  noGrad: () => [() => x()],
  recomputing: () => [],
  record: () => ['own', x(), { x: ones([2], { requiresGrad: true }) }, { saves: {}, backward: () => ({}) }],
  capture: () => [() => x(), {}],
  defaultGenerator: () => [],
  manualSeed: () => [3],
  conv2d: () => [image(), ones([4, 1, 3, 3]), ones([4]), { stride: 1, padding: [1, 1], dilation: 1, groups: 2 }],
  convTranspose2d: () => [image(), ones([2, 2, 3, 3]), ones([4]), { stride: 2, outputPadding: 1, groups: 2 }],
  convBatchNorm2d: () => [
    image(),
    ones([2, 2, 3, 3]),
    channels(),
    {},
    { ...norm, runningMean: zeros([2]), runningVar: channels() },
  ],
  arange: () => [0, 5, 1, {}],
  eye: () => [2, 3, {}],
  full: () => [[2, 3], 1, {}],
  linspace: () => [0, 1, 3, {}],
  ones: () => [[2], {}],
  zeros: () => [[2], {}],
  tensor: () => [[1, 2], { shape: [2] }],
  softmaxCrossEntropy: () => [ones([2, 3]), labels(), {}],
  embedding: () => [labels(), x(), { paddingIdx: 0 }],
  scaledDotProductAttention: () => [x(), x(), x(), { isCausal: true }],
  gather: () => [x(), 1, tensor({ shape: [2, 1], data: Int32Array.of(0, 1) })],
  oneHot: () => [labels(), 3],
  layerNorm: () => [x(), 3, { weight: ones([3]) }],
  rmsNorm: () => [x(), [3], { weight: ones([3]) }],
  linear: () => [x(), ones([4, 3]), ones([4]), { relu: true }],
  getFloat32MatmulPrecision: () => [],
  setFloat32MatmulPrecision: () => ['highest'],
  batchNorm: () => [image(), { ...norm, runningMean: zeros([2]), runningVar: channels() }],
  adaptiveAvgPool2d: () => [image(), [1, 2]],
  avgPool2d: () => [image(), { kernelSize: 2 }],
  maxPool2d: () => [image(), { kernelSize: 2 }],
  bernoulli: () => [[2], 0.5, {}],
  dropout: () => [x(), 0.5, {}],
  randperm: () => [3, {}],
  rand: () => [[2], {}],
  randn: () => [[2], {}],
  randomBits: () => [[2], {}],
  cat: () => [[x(), x()], 0],
  stack: () => [[x(), x()], 0],
  meshgrid: () => [[channels(), channels()], 'xy'],
  pad: () => [
    x(),
    [
      [0, 1],
      [1, 0],
    ],
    0,
  ],
  softmax: () => [x(), 1],
  logSoftmax: () => [x(), 1],
  addcmul: () => [x(), x(), x(), { value: 2 }],
  clamp: () => [x(), { min: 0 }],
  gelu: () => [x(), 'tanh'],
  nanToNum: () => [x(), { nan: 1 }],
  leakyRelu: () => [x(), 0.1],
  where: () => [x().gt(0), x(), 1],
  device: () => [],
  init: usesDevice,
  memory: () => [],
  warmUp: () => [() => x(), () => undefined],
  kernel: () => ['@compute @workgroup_size(1) fn nothing() {}', {}],
  live: () => [() => 1],
  unchanging: () => ['x', () => 1],
  measurePeak: usesDevice,
  examineAdapters: usesDevice,
  chromeTrace: () => [{ spans: [], stamps: true, adapter: 'a', wallSeconds: 0, steps: 1 }],
  profileRows: () => [[]],
  profile: () => [() => x()],
  run: () => [incrementing, { x: x() }, { by: 1 }, 1, null],
  collectedTensors: () => [],
  keep: () => [x()],
  scope: () => [() => x()],
  tune: usesDevice,
  tuning: () => [],
  deleteTuned: readsFiles,
  listTuned: readsFiles,
  assign: () => [x(), x()],
  empty: () => [[2], 'float32'],
};

type Last<P extends readonly unknown[]> = Required<P> extends readonly [...unknown[], infer L] ? L : never;
type OtherObject = mien.Tensor | mien.Kernel | mien.Generator | ArrayLike<unknown> | ((...args: never[]) => unknown);
/** Whether the last parameter is an object of named options: no tensor, kernel, generator, list or function. */
type IsOptions<T> = T extends OtherObject ? false : T extends object ? (string extends keyof T ? false : true) : false;
type NamesWithOptions<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => unknown ? (true extends IsOptions<Last<A>> ? K : never) : never;
}[keyof T];

const isOptions = 'its last argument is options';
const noOptions = 'its last argument is an object, but no options';

/** The functions that take an object last, by their types: one without a row here fails to compile. */
const functionsWithOptions = {
  addcmul: isOptions,
  arange: isOptions,
  avgPool2d: isOptions,
  batchNorm: isOptions,
  bernoulli: isOptions,
  capture: isOptions,
  chromeTrace: noOptions,
  clamp: isOptions,
  conv2d: isOptions,
  convBatchNorm2d: isOptions,
  convTranspose2d: isOptions,
  detectAnomaly: isOptions,
  dropout: isOptions,
  embedding: isOptions,
  examineAdapters: isOptions,
  eye: isOptions,
  full: isOptions,
  grad: isOptions,
  init: isOptions,
  keep: noOptions,
  layerNorm: isOptions,
  linear: isOptions,
  linspace: isOptions,
  manualSeed: noOptions,
  maxPool2d: isOptions,
  nanToNum: isOptions,
  ones: isOptions,
  profileRows: noOptions,
  rand: isOptions,
  randn: isOptions,
  randperm: isOptions,
  randomBits: isOptions,
  record: noOptions,
  rmsNorm: isOptions,
  run: noOptions,
  scaledDotProductAttention: isOptions,
  softmaxCrossEntropy: isOptions,
  tensor: isOptions,
  tune: isOptions,
  zeros: isOptions,
} as const satisfies Record<NamesWithOptions<typeof mien>, string>;

/** The methods of Tensor that take an object last. */
const methodsWithOptions = {
  argmax: isOptions,
  argmin: isOptions,
  backward: isOptions,
  detach: isOptions,
  max: isOptions,
  mean: isOptions,
  min: isOptions,
  std: isOptions,
  sum: isOptions,
  variance: isOptions,
} as const satisfies Record<NamesWithOptions<mien.Tensor>, string>;

/** Arguments before the options of functions that have no example. */
const argumentsBefore: Readonly<Record<string, () => readonly unknown[]>> = {
  init: () => [],
  examineAdapters: () => [],
  tune: () => [() => x()],
};

/** Classes with the arguments of their constructors. */
const classes: Readonly<Record<string, Example>> = {
  Tensor: () => [[1, 2], [2]],
  Generator: () => [3],
};

const methods: Readonly<Record<string, Example>> = {
  constructor: 'not called',
  detach: () => [{}],
  dispose: () => [],
  data: () => [],
  item: 'x has six elements',
  toArray: () => [],
  backward: () => [x(), {}],
  slice: () => [0, 0, 1, 1],
  reshape: () => [[3, 2]],
  transpose: () => [0, 1],
  permute: () => [[1, 0]],
  flip: () => [0],
  expand: () => [[2, 3]],
  at: () => [0, [0, 2]],
  nonzero: () => [],
  maskedSelect: () => [x().gt(0)],
  unique: () => [],
  squeeze: () => [[0]],
  unsqueeze: () => [0],
  flatten: () => [0, 1],
  unflatten: () => [1, [3, 1]],
  split: () => [[1, 2], 1],
  chunk: () => [2, 1],
  repeat: () => [[2, 1]],
  tile: () => [[2]],
  roll: () => [[1], [0]],
  tril: () => [0],
  triu: () => [1],
  indexSelect: () => [0, labels()],
  scatter: () => [1, indices(), x()],
  scatterAdd: () => [1, indices(), x()],
  indexAdd: () => [0, labels(), x()],
  matmul: () => [ones([3, 2])],
  to: () => ['int32'],
  lerp: () => [x(), x()],
  argmax: () => [0, {}],
  argmin: () => [0, {}],
};
for (const name of ['sum', 'mean', 'max', 'min', 'variance', 'std'])
  (methods as Record<string, Example>)[name] = () => [[0], {}];
for (const name of ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'eq', 'ne', 'lt', 'le', 'gt', 'ge']) {
  (methods as Record<string, Example>)[name] = () => [x()];
}
for (const name of ['atan2', 'remainder', 'fmod', 'logicalAnd', 'logicalOr', 'logicalXor'])
  (methods as Record<string, Example>)[name] = () => [x()];

const exported = Object.entries(mien).filter(([, value]) => typeof value === 'function');
/** A class, also where its calls are counted. */
const isClass = (value: unknown): boolean =>
  typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;

for (const [name, value] of exported) {
  if (isClass(value) && Object.prototype.isPrototypeOf.call(Error, value)) continue;
  const example = (isClass(value) ? classes : functions)[name];
  test(`${name} throws a MienError for arguments of the wrong kind`, async () => {
    ensure(example !== undefined, `give ${name} an example in this file`);
    if (typeof example === 'string') return;
    const call = isClass(value)
      ? (...args: unknown[]) => new (value as new (...all: unknown[]) => unknown)(...args)
      : (value as (...args: unknown[]) => unknown);
    await expectMienErrors(name, call, example);
  });
}

const prototypes = [Tensor.prototype, Object.getPrototypeOf(Tensor.prototype) as object];
for (const [prototype, name] of prototypes.flatMap((each) =>
  Object.getOwnPropertyNames(each).map((name) => [each, name] as const),
)) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (typeof descriptor?.value !== 'function') continue;
  const method = descriptor.value as (...args: unknown[]) => unknown;
  const example = methods[name] ?? (method.length === 0 ? () => [] : undefined);
  test(`Tensor.${name} throws a MienError for arguments of the wrong kind`, async () => {
    ensure(example !== undefined, `give Tensor.${name} an example in this file`);
    if (typeof example === 'string') return;
    const leaf = ones([2, 3], { requiresGrad: true });
    const receiver = (): mien.Tensor => (name === 'backward' ? leaf.mul(2) : ones([2, 3]));
    await expectMienErrors(`Tensor.${name}`, (...args) => method.apply(receiver(), args), example);
  });
}

for (const [name, kind] of Object.entries(functionsWithOptions)) {
  if (kind !== isOptions) continue;
  test(`${name} refuses an unknown option`, async () => {
    const call = mien[name as keyof typeof functionsWithOptions] as (...args: unknown[]) => unknown;
    const example = functions[name];
    const before = argumentsBefore[name] ?? (() => (example as () => readonly unknown[])().slice(0, -1));
    await expectUnknownOption(name, call, before);
  });
}

for (const [name, kind] of Object.entries(methodsWithOptions)) {
  if (kind !== isOptions) continue;
  test(`${name} refuses an unknown option`, async () => {
    const leaf = ones([2, 3], { requiresGrad: true });
    const method = leaf[name as keyof typeof methodsWithOptions] as (...args: unknown[]) => unknown;
    const before = (): readonly unknown[] => (methods[name] as () => readonly unknown[])().slice(0, -1);
    await expectUnknownOption(name, (...args) => method.apply(leaf.mul(2), args), before);
  });
}

test('setters of Tensor and returned functions throw a MienError for arguments of the wrong kind', async () => {
  await expectMienErrors(
    'Tensor.grad',
    (value) => {
      ones([2, 3], { requiresGrad: true }).grad = value as mien.Tensor;
    },
    () => [x()],
  );
  await expectMienErrors(
    'Tensor.requiresGrad',
    (value) => {
      ones([2, 3]).requiresGrad = value as boolean;
    },
    () => [true],
  );
  await expectMienErrors(
    'grad of a function',
    (...args) => mien.grad(...(args as [typeof doubled])),
    () => [doubled],
  );
  await expectMienErrors(
    'grad(fn)',
    (...args) => mien.grad(doubled)(...(args as [mien.Tensor])),
    () => [x()],
  );
  await expectMienErrors(
    'capture(fn).run',
    (...args) => {
      const captured = mien.capture((y: mien.Tensor) => y.mul(2));
      const result = captured.run(...(args as [mien.Tensor]));
      captured.dispose();
      return result;
    },
    () => [x()],
  );
  await expectMienErrors(
    'Generator.from',
    (state) => Generator.from(state as mien.GeneratorState),
    () => [{ seed: 1, offset: 0 }],
  );
});
