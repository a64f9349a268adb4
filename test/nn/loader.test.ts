import { ArrayDataset, DataLoader, type DataLoaderState, type Dataset } from '@mien/nn';
import { ShapeError, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Samples are their index and one random draw. */
const drawing = (length: number): Dataset<string> => ({
  length,
  get: async (index, generator) => `${index}:${generator.uint32()}`,
});

const collate = (samples: readonly string[]): string => samples.join(' ');

const plans = fc.record({
  length: fc.integer({ min: 1, max: 40 }),
  batchSize: fc.integer({ min: 1, max: 9 }),
  prefetch: fc.integer({ min: 0, max: 4 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

async function epochOf(loader: DataLoader<string, string>): Promise<string[]> {
  const batches: string[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

law(
  'DataLoader yields every sample once per epoch, in the order of its seed',
  plans,
  async ({ length, ...options }) => {
    const [first, again] = [1, 2].map(() => new DataLoader(drawing(length), { ...options, shuffle: true, collate }));
    const other = new DataLoader(drawing(length), { ...options, prefetch: 3, shuffle: true, collate });
    ensure(first !== undefined && again !== undefined, 'no loader');
    for (let epoch = 0; epoch < 3; epoch++) {
      ensure(first.epoch === epoch, `epoch ${first.epoch}, expected ${epoch}`);
      const batches = await epochOf(first);
      const indices = batches.flatMap((batch) => batch.split(' ').map((sample) => Number.parseInt(sample, 10)));
      ensure(batches.length === first.length, `${batches.length} batches, expected ${first.length}`);
      ensure(
        indices.sort((a, b) => a - b).every((index, i) => index === i),
        `samples ${indices}`,
      );
      ensure(indices.length === length, `${indices.length} samples of ${length}`);
      ensure((await epochOf(again)).join() === batches.join(), 'the same seed gave another epoch');
      ensure((await epochOf(other)).join() === batches.join(), 'prefetching changed the epoch');
    }
  },
);

law(
  'DataLoader resumes exactly from its state, in the middle of an epoch or at its end',
  fc.record({ plan: plans, stop: fc.nat(20) }),
  async ({ plan: { length, ...options }, stop }) => {
    const make = (): DataLoader<string, string> =>
      new DataLoader(drawing(length), { ...options, shuffle: true, collate });
    const whole = make();
    const expected = [...(await epochOf(whole)), ...(await epochOf(whole))];
    const stopped = make();
    const actual: string[] = [];
    const state = await (async (): Promise<DataLoaderState> => {
      for await (const batch of stopped) {
        actual.push(batch);
        if (actual.length > stop) break;
      }
      return stopped.state();
    })();
    const resumed = make();
    resumed.loadState(JSON.parse(JSON.stringify(state)));
    while (resumed.epoch < 2) actual.push(...(await epochOf(resumed)));
    ensure(actual.join() === expected.join(), `${actual.length} batches, expected ${expected.length}`);
  },
);

test('DataLoader keeps the order without shuffle, and drops an incomplete last batch on demand', async () => {
  const options = {
    batchSize: 2,
    collate: (samples: readonly string[]) => samples.map((each) => Number.parseInt(each, 10)).join(),
  };
  const all = new DataLoader(drawing(5), options);
  const full = new DataLoader(drawing(5), { ...options, dropLast: true });
  ensure((await epochOf(all)).join(' ') === '0,1 2,3 4', 'all');
  ensure((await epochOf(full)).join(' ') === '0,1 2,3', 'full');
});

test('DataLoader throws the error of a sample at its batch', async () => {
  const get = async (index: number): Promise<string> => {
    if (index === 5) throw new ValueError('sample 5 is broken');
    return String(index);
  };
  const loader = new DataLoader({ length: 8, get }, { batchSize: 2, prefetch: 3, collate });
  const seen: string[] = [];
  let message = '';
  try {
    for await (const batch of loader) seen.push(batch);
  } catch (reason) {
    message = String(reason);
  }
  ensure(seen.join(', ') === '0 1, 2 3' && message.includes('sample 5 is broken'), `${seen.join(', ')}; ${message}`);
});

test('DataLoader makes batches of the rows of an ArrayDataset', async () => {
  const dataset = new ArrayDataset(
    { shape: [3, 2], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { shape: [3], dtype: 'int32', data: Int32Array.of(7, 8, 9) },
  );
  const loader = new DataLoader(dataset, { batchSize: 2 });
  const actual: string[] = [];
  for await (const batch of loader) actual.push(batch.map(({ shape, data }) => `[${shape}] ${data}`).join(' '));
  ensure(actual.join('; ') === '[2,2] 1,2,3,4 [2] 7,8; [1,2] 5,6 [1] 9', actual.join('; '));
});

test('loaders and datasets refuse invalid options, samples and positions', () => {
  refuses(
    () => new DataLoader(drawing(3), { batchSize: 0, collate }),
    ValueError,
    'DataLoader: batchSize must be a positive integer, got 0',
  );
  refuses(
    () => new DataLoader(drawing(3), { batchSize: 4, dropLast: true, collate }),
    ValueError,
    'at least one batch of 4, got 3',
  );
  const loader = new DataLoader(drawing(3), { batchSize: 2, collate });
  refuses(
    () => loader.loadState({ seed: 0, epoch: 0, batch: 3 }),
    ValueError,
    'within 2 batches per epoch, got epoch 0, batch 3',
  );
  const column = (rows: number) => ({ shape: [rows], dtype: 'int32', data: new Int32Array(rows) }) as const;
  refuses(() => new ArrayDataset(column(2), column(3)), ShapeError, 'got 2, 3');
});

test('DataLoader yields a full epoch after a loop that was left at the last batch, and after a state taken there', async () => {
  const make = (): DataLoader<string, string> => new DataLoader(drawing(6), { batchSize: 2, shuffle: true, collate });
  const whole = make();
  const expected = [await epochOf(whole), await epochOf(whole), await epochOf(whole)];
  const left = make();
  for (const batches of expected) {
    const actual: string[] = [];
    for await (const batch of left) {
      actual.push(batch);
      if (actual.length === left.length) break;
    }
    ensure(actual.join() === batches.join(), `${actual}, expected ${batches}`);
  }
  const resumed = make();
  resumed.loadState({ ...left.state(), epoch: 0 });
  ensure((await epochOf(resumed)).join() === (expected[1] as string[]).join(), 'epoch 1 follows');
  ensure(resumed.epoch === 2 && resumed.state().batch === 0, 'and ends');
  resumed.nextEpoch();
  ensure(resumed.state().epoch === 3, 'nextEpoch moves on');
});
