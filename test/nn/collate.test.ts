import { ArrayDataset, DataLoader, defaultCollate, type HostTensor, stackRows } from '@mien/nn';
import { ones, ShapeError, ValueError } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const host = (shape: readonly number[], start = 0): HostTensor => {
  const size = shape.reduce((product, each) => product * each, 1);
  return { shape, dtype: 'float32', data: Float32Array.from({ length: size }, (_, i) => start + i) };
};

test('defaultCollate stacks numbers, booleans, typed arrays and host tensors, and lists strings', () => {
  const floats = (shape: readonly number[], ...data: number[]) => ({
    shape,
    dtype: 'float32',
    data: Float32Array.from(data),
  });
  assert.equal(defaultCollate([1, 2.5]), floats([2], 1, 2.5));
  assert.equal(defaultCollate([true, false]), { shape: [2], dtype: 'bool', data: Uint32Array.of(1, 0) });
  assert.equal(defaultCollate([Float32Array.of(1, 2), Float32Array.of(3, 4)]), floats([2, 2], 1, 2, 3, 4));
  assert.equal(defaultCollate([Int32Array.of(7)]), { shape: [1, 1], dtype: 'int32', data: Int32Array.of(7) });
  assert.equal(defaultCollate([Uint32Array.of(7)]), { shape: [1, 1], dtype: 'uint32', data: Uint32Array.of(7) });
  assert.equal(defaultCollate([host([1, 2]), host([1, 2], 5)]), floats([2, 1, 2], 0, 1, 5, 6));
  assert.equal(defaultCollate(['a', 'b']), ['a', 'b']);
  const label: HostTensor = { shape: [], dtype: 'int32', data: Int32Array.of(3) };
  assert.equal(defaultCollate([label, label]), { shape: [2], dtype: 'int32', data: Int32Array.of(3, 3) });
});

test('defaultCollate keeps arrays and objects, to any depth', () => {
  const samples = [0, 1].map((i) => ({ image: host([2], i), of: [i, { name: `${i}`, known: i === 0 }] as const }));
  const batch = defaultCollate(samples);
  assert.equal(batch.image.shape, [2, 2]);
  assert.equal([...batch.image.data], [0, 1, 1, 2]);
  assert.equal([...batch.of[0].data], [0, 1]);
  assert.equal(batch.of[1].name, ['0', '1']);
  assert.equal([...batch.of[1].known.data], [1, 0]);
});

law(
  'defaultCollate and stackRows give back the columns of an ArrayDataset from all of its samples',
  fc.record({ rows: fc.integer({ min: 1, max: 9 }), shape: fc.constantFrom([], [3], [2, 2]) }),
  ({ rows, shape }) => {
    const columns = [host([rows, ...shape]), host([rows], 3)];
    const dataset = new ArrayDataset(...columns);
    const samples = Array.from({ length: rows }, (_, i) => dataset.get(i));
    for (const stack of [defaultCollate, stackRows]) assert.equal(stack(samples), columns);
  },
);

test('DataLoader without collate stacks samples, in order and with their types', async () => {
  const dataset = { length: 5, get: (i: number) => ({ pixels: Float32Array.of(i, -i), label: i }) };
  const loader = new DataLoader(dataset, { batchSize: 2 });
  const labels: number[][] = [];
  for await (const { pixels, label } of loader) {
    assert.equal(pixels.shape, [label.data.length, 2]);
    labels.push([...label.data]);
  }
  assert.equal(labels, [[0, 1], [2, 3], [4]]);
  const own = new DataLoader(dataset, { batchSize: 5, collate: (samples) => samples.length });
  for await (const count of own) assert.is(count, 5);
});

test('defaultCollate names the field and both shapes of samples that differ', () => {
  refuses(
    () => defaultCollate([{ image: host([3, 4]) }, { image: host([3, 5]) }]),
    ShapeError,
    'defaultCollate: field image is float32 [3, 4] in the first sample of the batch and float32 [3, 5] in sample 1; crop, pad or convert the samples, or pass collate',
  );
  const pair = (last: unknown) => ({ boxes: [1, last] });
  refuses(() => defaultCollate([pair(host([2])), pair(2)]), ShapeError, 'field boxes[1] is float32 [2] in the first');
  refuses(() => defaultCollate([{ a: { b: 'x' } }, { a: { b: 1 } }]), ShapeError, "field a.b is 'x' in the first");
  refuses(
    () => defaultCollate([[1, 2], [1]]),
    ShapeError,
    'the sample is an array of 2 in the first sample of the batch and an array of 1 in sample 1',
  );
  refuses(
    () => defaultCollate([{ a: 1 }, { b: 1 }] as object[]),
    ShapeError,
    'the sample has the fields a in the first sample of the batch and b in sample 1',
  );
  refuses(() => defaultCollate([[ones([2])]]), ValueError, 'got a tensor on the device, float32 [2]; pass collate');
  refuses(() => defaultCollate([Uint8Array.of(1)]), ValueError, 'got a Uint8Array, which no dtype holds');
  refuses(() => defaultCollate([null]), ValueError, 'got null');
  refuses(() => defaultCollate([]), ValueError, 'expected at least one sample, got none');
});
