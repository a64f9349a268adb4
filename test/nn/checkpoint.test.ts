import { AdamW, buffer, Dropout, EMA, FormatError, type HostTensor, Linear, Module, toHost } from '@mien/nn';
import { type CheckpointInfo, readCheckpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import {
  assign,
  defaultGenerator,
  Generator,
  type GeneratorState,
  manualSeed,
  ones,
  type Tensor,
  tensor,
  ValueError,
} from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

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

test('readCheckpoint returns what writeCheckpoint was given', async () => {
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

test('Dropout draws the masks of the undisturbed run after a resume from a checkpoint, with its own and the default generator', async () => {
  const masks = async (layer: Dropout, count: number): Promise<string[]> => {
    const actual: string[] = [];
    for (let i = 0; i < count; i++) actual.push((await layer.forward(ones([3, 7])).data()).join());
    return actual;
  };
  const own = new Generator(21);
  const layer = new Dropout(0.5, { generator: own });
  const shared = new Dropout(0.25);
  manualSeed(22);
  await masks(layer, 3);
  await masks(shared, 2);
  const save = (generator: CheckpointInfo['generator']) =>
    writeCheckpoint({ info: { ...info, generator }, model: new Map() });
  const files = await Promise.all([own.state(), defaultGenerator().state()].map(save));
  const undisturbed = [await masks(layer, 4), await masks(shared, 4)];
  const [first, second] = files.map((file) => readCheckpoint(file).info.generator) as [GeneratorState, GeneratorState];
  manualSeed(second);
  const resumed = [await masks(new Dropout(0.5, { generator: Generator.from(first) }), 4), await masks(shared, 4)];
  manualSeed(0);
  ensure(JSON.stringify(resumed) === JSON.stringify(undisturbed), 'other masks after the resume');
  ensure(new Set(undisturbed.flat()).size === 8, 'masks that repeat');
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

/** Broken checkpoints, and the expected messages. */
const hostile: Readonly<Record<string, readonly [bytes: () => Uint8Array, message: string]>> = {
  'plain safetensors': [() => writeSafetensors(new Map()), 'last: metadata mien: missing; it is not a checkpoint'],
  'metadata that is not JSON': [
    () => writeSafetensors(new Map(), new Map([['mien', '{']])),
    'last: metadata mien: not JSON',
  ],
  'metadata that is a list': [
    () => writeSafetensors(new Map(), new Map([['mien', '[]']])),
    'metadata mien: expected an object, got an array of 0',
  ],
  'a format of the future': [() => edited({ format: 2 }), 'metadata mien.format: expected format 1, got 2'],
  'a negative epoch': [() => edited({ epoch: -1 }), 'metadata mien.epoch: expected a non-negative integer, got -1'],
  'a missing step': [
    () => edited({ step: undefined }),
    'metadata mien.step: expected a non-negative integer, got undefined',
  ],
  'classes that are not names': [() => edited({ classes: [1] }), 'metadata mien.classes: expected names, got [1]'],
  'a generator without offset': [
    () => edited({ generator: { seed: 1 } }),
    'metadata mien.generator: expected seed and offset, got {"seed":1}',
  ],
  'a NaN among the weights': [() => writeSafetensors(new Map([['w', nan]])), 'last: tensor w: element 0 is NaN'],
};

for (const [what, [bytes, message]] of Object.entries(hostile)) {
  test(`readCheckpoint refuses ${what}`, () => {
    refuses(() => readCheckpoint(bytes(), { file: 'last' }), FormatError, message);
  });
}

test('writeCheckpoint refuses model names with the prefix of optimizer state', async () => {
  let message = '';
  const model = await toHost(new Map([['optimizer.x', ones([1])]]));
  await writeCheckpoint({ info, model }).catch((reason) => {
    message = reason instanceof ValueError ? reason.message : '';
  });
  ensure(message.includes('optimizer.x has a reserved prefix'), message);
});

test('a checkpoint keeps infinities, as in a causal mask, through state dict, file and back', async () => {
  class Masked extends Module {
    readonly mask: Tensor = buffer(
      tensor([
        [0, Number.NEGATIVE_INFINITY],
        [0, 0],
      ]),
    );
    forward(): void {}
  }
  const [from, to] = [new Masked(), new Masked()];
  assign(to.mask, [1, 1, 1, 1]);
  to.loadStateDict(readCheckpoint(await writeCheckpoint({ info, model: from.stateDict() })).model);
  ensure((await to.mask.data()).join() === '0,-Infinity,0,0', 'the mask');
  const half = await writeCheckpoint({ info, model: from.stateDict() }, { float32As: 'F16' });
  ensure(readCheckpoint(half).model.get('mask')?.data[1] === Number.NEGATIVE_INFINITY, 'as F16');
});

/** Arguments of writeCheckpoint; everything that it writes must be read back. */
const infos = fc.record({
  epoch: fc.oneof(fc.nat(9), fc.constantFrom(-1, 1.5, Number.NaN, undefined)),
  step: fc.oneof(fc.nat(9), fc.constantFrom('3', null)),
  seed: fc.oneof(fc.nat(9), fc.constantFrom(Number.POSITIVE_INFINITY, 2 ** 60)),
  classes: fc.oneof(fc.array(fc.string()), fc.constantFrom([1], null)),
  model: fc.oneof(fc.string(), fc.constantFrom(3, undefined)),
  extra: fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ a: Number.NaN }, [undefined], new Date(0), () => 1),
  ),
});
const numbers = fc.array(
  fc.oneof({ arbitrary: fc.float(), weight: 9 }, fc.constantFrom(-Infinity, Infinity, -0, 1e-45)),
  {
    minLength: 1,
    maxLength: 4,
  },
);

law(
  'everything that writeCheckpoint writes is read back, bit for bit',
  fc.record({ change: infos, numbers }),
  async (given) => {
    const data = Float32Array.from(given.numbers);
    const model = new Map<string, HostTensor>([['w', { shape: [data.length], dtype: 'float32', data }]]);
    const whole = { ...info, ...given.change } as unknown as CheckpointInfo;
    let bytes: Uint8Array;
    try {
      bytes = await writeCheckpoint({ info: whole, model });
    } catch (reason) {
      ensure(reason instanceof ValueError, String(reason));
      return;
    }
    const read = readCheckpoint(bytes);
    ensure(JSON.stringify(read.info) === JSON.stringify(whole), JSON.stringify(read.info));
    const actual = read.model.get('w')?.data as Float32Array;
    ensure(
      new Uint32Array(actual.buffer).join() === new Uint32Array(data.buffer).join(),
      `${actual}, expected ${data}`,
    );
  },
);

test('writeCheckpoint refuses NaN and info that cannot be read back, and writes valid checkpoints', async () => {
  const refused = async (checkpoint: Parameters<typeof writeCheckpoint>[0], message: string): Promise<void> => {
    const reason = await writeCheckpoint(checkpoint).catch((error: unknown) => error);
    ensure(reason instanceof ValueError && reason.message.includes(message), String(reason));
  };
  await refused({ info, model: new Map([['w', nan]]) }, 'element 0 of w is NaN');
  await refused({ info: { ...info, epoch: -1 }, model: new Map() }, 'info.epoch: expected a non-negative integer');
  await refused(
    { info: { ...info, extra: { best: Number.NaN } }, model: new Map() },
    'info.extra.best must be a value',
  );
});
