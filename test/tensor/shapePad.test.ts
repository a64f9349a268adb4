// Padding by elements of the tensor itself.
import { type PadMode, pad, ShapeError, tensor, ValueError, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Counts = readonly (readonly [number, number])[];

/** Counts up to the most that every mode allows for the size, and beyond for 'replicate'. */
const casesOf = (mode: PadMode, maxSize: number) =>
  shapes({ minRank: 1, maxRank: 4, maxSize }).chain((shape) => {
    const most = (size: number): number =>
      mode === 'replicate' ? 4 : Math.min(mode === 'reflect' ? size - 1 : size, 5);
    return fc.record({
      x: valuesOf(shape),
      counts: fc.tuple(
        ...shape.map((size) => fc.tuple(fc.nat(most(size)), fc.nat(most(size)))),
      ) as fc.Arbitrary<Counts>,
    });
  });

for (const mode of ['reflect', 'replicate', 'circular'] as const) {
  law(`pad equals its reference in ${mode} mode, gradient included`, casesOf(mode, 200), async ({ x, counts }) => {
    await near(pad(toTensor(x), counts, mode), reference.pad(x, counts, mode));
    await gradcheck(
      (v) => pad(v, counts, mode),
      (v) => reference.pad(v, counts, mode),
      [x],
    );
  });

  law(`the second derivative of pad in ${mode} mode is that of its reference`, valuesOf([3, 2]), async (x) => {
    const counts = [
      [2, 1],
      [0, 1],
    ] as const;
    await gradgradcheck(
      (v) => pad(v, counts, mode).square(),
      (v) => reference.square(reference.pad(v, counts, mode)),
      [x],
    );
  });

  law(
    `pad in ${mode} mode is split where a tensor is larger than a binding`,
    casesOf(mode, 1500),
    ({ x, counts }) =>
      withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, () =>
        near(pad(toTensor(x), counts, mode), reference.pad(x, counts, mode)),
      ),
    { runs: 8 },
  );

  test(`pad in ${mode} mode keeps every dtype, and copies where nothing is added`, async () => {
    const expected = { reflect: '0,1,0,1,0', replicate: '1,1,0,1,1', circular: '1,1,0,1,1' }[mode];
    for (const dtype of ['int32', 'uint32', 'bool'] as const) {
      const y = pad(tensor([1, 0, 1], { dtype }), [[1, 1]], mode);
      ensure(y.dtype === dtype && (await y.data()).join() === expected, `${dtype} gives ${await y.data()}`);
    }
    const x = tensor([1, 2]);
    const copy = pad(x, [[0, 0]], mode);
    x.dispose();
    await near(copy, reference.values([2], [1, 2]));
  });
}

test('pad refuses other modes and more elements than there are', () => {
  const x = zeros([2, 3]);
  const by = (before: number, after: number): Counts => [
    [0, 0],
    [before, after],
  ];
  refuses(
    () => pad(x, by(3, 0), 'reflect'),
    ShapeError,
    "pad: expected at most 2 elements in reflect mode for dim 1 of [2, 3], got [3, 0]; use 'replicate'",
  );
  refuses(
    () => pad(x, by(0, 4), 'circular'),
    ShapeError,
    "pad: expected at most 3 elements in circular mode for dim 1 of [2, 3], got [0, 4]; use 'replicate'",
  );
  refuses(
    () => pad(x, by(1, 1), 'mirror' as never),
    ValueError,
    "pad: fill must be 'reflect', 'replicate' or 'circular', got 'mirror'",
  );
});
