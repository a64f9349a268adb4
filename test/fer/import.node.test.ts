// Import and export of PyTorch files: the networks by their tensor names, and the same outputs afterwards.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetwork, drawFaces, type ModelName, readTraining, split, Training, trainingConfig } from '@mien/fer';
import { evaluate, exportPytorch, importWeights, listPytorch, train, writeFer2013 } from '@mien/fer/node';
import { type HostTensor, StateError, toHost } from '@mien/nn';
import { readPytorch, writePytorch } from '@mien/nn/pytorch';
import { Generator, type Tensor, tensor } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { mien, refused, rejected } from '../hostile/kit.ts';

async function inFolder(use: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-import-'));
  try {
    await use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const x = (channels: number): Tensor =>
  tensor(
    Float32Array.from({ length: channels * 44 * 44 }, (_, i) => ((i * 37) % 256) / 255),
    { shape: [1, channels, 44, 44] },
  );

/** The state dict of a network with other statistics than a new one. */
async function stateOf(model: ModelName): Promise<Map<string, HostTensor>> {
  const { channels } = trainingConfig(model, 'fer2013').input;
  using net = createNetwork(model, { classes: 7, channels, generator: new Generator(3) });
  const state = await toHost(net.stateDict());
  for (const [name, { data }] of state)
    if (name.endsWith('running_var')) data.set(Array.from(data, (_, i) => 1 + i / data.length));
  return state;
}

async function logits(model: ModelName, state: ReadonlyMap<string, HostTensor>): Promise<string> {
  const { channels } = trainingConfig(model, 'fer2013').input;
  using net = createNetwork(model, { classes: 7, channels, generator: new Generator(0) });
  net.loadStateDict(state);
  return String(await net.eval().forward(x(channels)).toArray());
}

for (const model of ['vgg11', 'resnet18', 'nano'] as const) {
  test(`importWeights finds ${model} under the reference's net, and its logits are those that were saved`, () =>
    inFolder(async (path) => {
      const state = await stateOf(model);
      const acc = { shape: [], dtype: 'float32' as const, data: Float32Array.of(73.112) };
      writeFileSync(
        path('a.t7'),
        writePytorch({ net: state, best_PrivateTest_acc: acc, best_PrivateTest_acc_epoch: 230 }),
      );
      const report = await importWeights({ file: path('a.t7') });
      ensure(report.model === model && report.from === 'net' && report.epoch === 230, JSON.stringify(report));
      ensure(report.values.best_PrivateTest_acc === 73.112, JSON.stringify(report.values));
      ensure(report.out === path('a.safetensors'), report.out);
      const read = readTraining(new Uint8Array(readFileSync(report.out)), report.out);
      ensure(read.info.classes[6] === 'Neutral' && read.info.epoch === 231, JSON.stringify(read.info));
      ensure((await logits(model, read.model)) === (await logits(model, state)), 'the logits changed');
      const { values } = await exportPytorch({ weights: report.out, out: path('b.t7') });
      const bests = JSON.stringify(Object.entries(values).map(([name, value]) => [name, Math.fround(value)]));
      const expected = [
        ['best_PrivateTest_acc', Math.fround(73.112)],
        ['best_PrivateTest_acc_epoch', 230],
      ];
      ensure(bests === JSON.stringify(expected), bests);
    }));
}

test('importWeights reads a state dict without num_batches_tracked, of float16, under any key, and of CK+', () =>
  inFolder(async (path) => {
    const state = await stateOf('nano');
    const kept = new Map([...state].filter(([name]) => !name.endsWith('num_batches_tracked')));
    const renamed = new Map(Array.from(kept, ([name, value]) => [`module.${name}`, value]));
    writeFileSync(
      path('a.pth.tar'),
      writePytorch({
        best_Test_acc: 94,
        model: renamed,
        other: { shape: [1], dtype: 'int64', data: BigInt64Array.of(2n ** 40n) },
      }),
    );
    const report = await importWeights({ file: path('a.pth.tar') });
    ensure(report.from === 'model.module' && report.dataset === 'ck+', JSON.stringify(report));
    ensure(report.out === path('a.safetensors'), report.out);
    const { info, model } = readTraining(new Uint8Array(readFileSync(report.out)));
    ensure(info.classes[6] === 'contempt' && model.size === state.size, `${info.classes}, ${model.size} tensors`);
    const asked = await importWeights({ file: path('a.pth.tar'), dataset: 'fer2013', out: path('b.safetensors') });
    ensure(asked.classes[6] === 'Neutral', `${asked.classes}`);
  }));

test('exportPytorch and importWeights keep the figures of evaluate', () =>
  inFolder(async (path) => {
    const faces = drawFaces({ training: 4, publicTest: 2, privateTest: 1 });
    const settings = trainingConfig('nano', 'drawn', { epochs: 1, batchSize: 14 });
    using training = new Training({
      model: 'nano',
      train: split(faces, 'Training'),
      config: settings,
      note: { dataset: 'fer2013', bestEpoch: 3, bestTestAccuracy: 0.5 },
    });
    while (!training.atEpochEnd) await training.step();
    await training.drain();
    writeFileSync(path('last.safetensors'), await training.checkpoint());
    const report = await exportPytorch({ weights: path('last.safetensors') });
    ensure(report.averaged && report.out === path('last.t7'), JSON.stringify(report));
    ensure(
      JSON.stringify(report.values) === '{"best_PublicTest_acc":50,"best_PublicTest_acc_epoch":3}',
      JSON.stringify(report.values),
    );
    const { tensors } = readPytorch(new Uint8Array(readFileSync(report.out)));
    const counts = [...tensors].filter(([name]) => name.endsWith('.num_batches_tracked'));
    const kinds = new Set(counts.map(([, count]) => `${count.dtype} ${count.toHost()?.data}`));
    ensure(counts.length > 0 && [...kinds].join() === 'int64 2', `batches are counted as ${[...kinds]}`);
    const back = await importWeights({ file: report.out, out: path('back.safetensors') });
    ensure(back.model === 'nano' && back.epoch === 3, JSON.stringify(back));
    const figures = async (weights: string): Promise<string> => {
      const { loss, accuracy, confusion } = await evaluate({ weights, faces, crops: 1 });
      return JSON.stringify({ loss, accuracy, confusion });
    };
    ensure((await figures(path('last.safetensors'))) === (await figures(back.out)), 'the figures changed');
  }));

test('importWeights names missing and unexpected tensors and other shapes', () =>
  inFolder(async (path) => {
    const state = await stateOf('nano');
    const [first = ''] = state.keys();
    const [shape, last] = [state.get(first)?.shape ?? [], [...state.keys()].at(-1) ?? ''];
    state.set(first, {
      shape: [...shape, 1],
      dtype: 'float32',
      data: state.get(first)?.data as Float32Array<ArrayBuffer>,
    });
    state.delete(last);
    state.set('spare\n', { shape: [1], dtype: 'float32', data: Float32Array.of(1) });
    writeFileSync(path('a.pt'), writePytorch(state));
    const sentence = `does not fit nano: missing ${last}; unexpected spare\\n; ${first}: expected float [${shape.join(', ')}], got float [${shape.join(', ')}, 1]`;
    await rejected(importWeights({ file: path('a.pt'), model: 'nano' }), sentence);
    await rejected(importWeights({ file: path('a.pt') }), 'closest is nano: missing');
    ensure(!existsSync(path('a.safetensors')), 'a checkpoint was written');
    await importWeights({ file: path('a.pt'), model: 'vgg11' }).then(
      () => ensure(false, 'it fits VGG11'),
      (reason) => ensure(reason instanceof StateError && reason.message.includes('and'), String(reason)),
    );
  }));

test('importWeights overwrites no file unless asked, and writes no NaN', () =>
  inFolder(async (path) => {
    const state = await stateOf('nano');
    writeFileSync(path('a.pt'), writePytorch(state));
    writeFileSync(path('a.safetensors'), 'mine');
    await rejected(importWeights({ file: path('a.pt') }), 'a.safetensors: exists already; pass another --out');
    ensure(readFileSync(path('a.safetensors'), 'utf8') === 'mine', 'it was overwritten');
    const [first = ''] = state.keys();
    (state.get(first) as HostTensor).data[0] = Number.NaN;
    writeFileSync(path('b.pt'), writePytorch(state));
    await rejected(importWeights({ file: path('b.pt') }), `element 0 of ${first} is NaN`);
    writeFileSync(path('c.pt'), writePytorch({ epoch: 1 }));
    await rejected(importWeights({ file: path('c.pt') }), 'c.pt: no tensors');
  }));

test('listPytorch lists the minimum, mean and maximum of the finite values of every tensor', () =>
  inFolder(async (path) => {
    const data = Float32Array.of(1, Number.NaN, -3, Infinity, 5);
    writeFileSync(path('a.pt'), writePytorch({ epoch: 7, acc: 0.12345, x: { shape: [5], dtype: 'float32', data } }));
    const { tensors, values } = listPytorch(path('a.pt'));
    ensure(JSON.stringify(values) === '{"epoch":7,"acc":0.1235}', JSON.stringify(values));
    const expected = { name: 'x', shape: [5], dtype: 'float32', min: -3, mean: 1, max: 5, notFinite: 2 };
    ensure(JSON.stringify(tensors) === JSON.stringify([expected]), JSON.stringify(tensors));
  }));

test(
  'mien import lists and converts, mien export converts back, and mien evaluate reads the result',
  () =>
    inFolder(async (path) => {
      await train({ model: 'nano', out: path('run'), config: { epochs: 1, batchSize: 32 }, stopAfter: 1 });
      const out = await mien(['export', path('run'), '--to', 'pytorch', '--out', path('nano.t7')]);
      ensure(out.code === 0 && out.out.includes("weights_only=True)['net'])"), out.out + out.err);
      const list = await mien(['import', path('nano.t7'), '--list']);
      ensure(list.code === 0 && /: zip, \d+ tensors\n/.test(list.out), list.out + list.err);
      const back = await mien(['import', path('nano.t7'), '--json']);
      ensure(back.code === 0 && JSON.parse(back.out).model === 'nano', back.out + back.err);
      const again = await mien(['import', path('nano.t7')]);
      refused(again, 'nano.safetensors: exists already; pass another --out');
      writeFileSync(path('broken.pt'), 'abc');
      refused(await mien(['import', path('broken.pt')]), 'byte 0: expected at least 15 bytes, got 3');
      refused(await mien(['import', path('nowhere.pt')]), 'nowhere.pt: cannot be read');
      // The file does not contain the path of its data, and must not be evaluated on other faces by default.
      const weights = ['--weights', path('nano.safetensors'), '--test-crops', '1', '--json'];
      refused(await mien(['evaluate', ...weights]), 'was trained on fer2013, whose path is unknown; pass --data');
      const faces = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
      const parts = ['Training', 'PublicTest'].map((usage) => ({ usage, split: split(faces, usage) }));
      await writeFer2013(path('faces.csv'), parts);
      const found = await mien(['evaluate', ...weights, '--data', path('faces.csv')]);
      ensure(found.code === 0 && JSON.parse(found.out).model === 'nano', found.out + found.err);
    }),
  { seconds: 240 },
);

for (const [wrapping, renamed] of [
  ['one part was parallel', (name: string) => name.replace(/^features\./, 'features.module.')],
  ['all was compiled and parallel', (name: string) => `_orig_mod.module.${name}`],
  ['a part was checkpointed', (name: string) => name.replace(/^(features\.\d+)\./, '$1._checkpoint_wrapped_module.')],
] as const) {
  test(`importWeights finds nano where ${wrapping} in PyTorch`, () =>
    inFolder(async (path) => {
      const state = await stateOf('nano');
      const file = path('a.pt');
      writeFileSync(
        file,
        writePytorch({ state_dict: new Map(Array.from(state, ([name, value]) => [renamed(name), value])) }),
      );
      const { model, out } = await importWeights({ file });
      const read = readTraining(new Uint8Array(readFileSync(out)), out);
      ensure(model === 'nano' && (await logits('nano', read.model)) === (await logits('nano', state)), model);
    }));
}

test('importWeights refuses a name that occurs with a wrapper and without', () =>
  inFolder(async (path) => {
    const state = new Map(await stateOf('nano'));
    state.set('features.module.0.0.weight', state.get('features.0.0.weight') as HostTensor);
    writeFileSync(path('a.pt'), writePytorch({ state_dict: state }));
    await rejected(
      importWeights({ file: path('a.pt'), model: 'nano' }),
      'unexpected features.module.0.0.weight (a second features.0.0.weight)',
    );
  }));
