// Work larger than a binding: offsets and sizes of the bindings of its parts.
import { batchNorm, conv2d, device, maxPool2d, softmax, type Tensor, tensor } from '@mien/tensor';
import { type Dispatch, withDispatches, withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, near, toTensor } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const most = 1 << 15;

/** Varying values whose sums are exact. */
const counting = (...shape: number[]): reference.Values =>
  reference.build(shape, (at) => (at.reduce((sum, i) => 3 * sum + i, 0) % 7) - 3);

const ones = (size: number): Tensor => toTensor(reference.full([size], 1));
const zeros = (size: number): Tensor => toTensor(reference.full([size], 0));

/** Operations with tensors larger than a binding, mostly with rows of an odd number of elements. */
const operations: Readonly<Record<string, readonly [() => Tensor, () => reference.Values]>> = {
  'sum of rows': [() => toTensor(counting(8197, 7)).sum(1), () => reference.sum(counting(8197, 7), [1])],
  'sum of columns': [() => toTensor(counting(8197, 7)).sum(0), () => reference.sum(counting(8197, 7), [0])],
  'sum of the middle': [() => toTensor(counting(501, 7, 5)).sum(1), () => reference.sum(counting(501, 7, 5), [1])],
  relu: [() => toTensor(counting(20483)).relu(), () => reference.relu(counting(20483))],
  softmax: [() => softmax(toTensor(counting(2503, 7)), 1), () => reference.softmax(counting(2503, 7), 1)],
  'broadcast sum': [
    () => toTensor(counting(2503, 7)).add(toTensor(counting(7))),
    () => reference.add(counting(2503, 7), counting(7)),
  ],
  transpose: [() => toTensor(counting(2503, 7)).transpose(0, 1), () => reference.transpose(counting(2503, 7), 0, 1)],
  matmul: [
    () => toTensor(counting(275, 5, 7)).matmul(toTensor(counting(275, 7, 3))),
    () => reference.matmul(counting(275, 5, 7), counting(275, 7, 3)),
  ],
  conv2d: [
    () => conv2d(toTensor(counting(101, 3, 5, 7)), toTensor(counting(2, 3, 3, 3)), null, { padding: 1 }),
    () => reference.conv2d(counting(101, 3, 5, 7), counting(2, 3, 3, 3), null, { padding: 1 }),
  ],
  maxPool2d: [
    () => maxPool2d(toTensor(counting(271, 5, 7)), { kernelSize: 2 }),
    () => reference.maxPool2d(counting(271, 5, 7), { kernelSize: 2 }),
  ],
  batchNorm: [
    () => {
      const own = {
        weight: ones(3),
        bias: zeros(3),
        runningMean: zeros(3),
        runningVar: ones(3),
        eps: 1,
        training: false,
      };
      return batchNorm(toTensor(counting(101, 3, 5, 7)), own);
    },
    () => {
      const [one, zero] = [reference.full([3], 1), reference.full([3], 0)];
      const own = { weight: one, bias: zero, runningMean: zero, runningVar: one, eps: 1, training: false };
      return reference.batchNorm(counting(101, 3, 5, 7), own);
    },
  ],
};

/** Throws if a part is bound outside its buffer, at an unaligned offset, or is written where it overlaps another. */
function expectApart({ kernel, bound }: Dispatch, alignment: number, written: Map<string, [number, number][]>): void {
  for (const [i, range] of bound.entries()) {
    if (!range) continue;
    const { storage, byteOffset, bytes } = range;
    const [name, end] = [`${kernel.label} ${kernel.bindings[i]?.name}`, byteOffset + bytes];
    ensure(byteOffset % alignment === 0, `${name} is bound at ${byteOffset}`);
    ensure(bytes <= most, `${name} is bound with ${bytes} bytes`);
    ensure(end <= storage.buffer.bytes, `${name} is bound up to ${end} of ${storage.buffer.bytes}`);
    // copyStrided stores single elements at strides, in overlapping windows.
    if (kernel.bindings[i]?.access !== 'read_write' || kernel.name === 'copyStrided') continue;
    const key = `${name} ${storage.id}`;
    // A part at 0 starts another pass over a buffer.
    const before = byteOffset === 0 ? [] : (written.get(key) ?? []);
    const overlap = before.find(([first, last]) => byteOffset < last && first < end && first !== byteOffset);
    ensure(!overlap, `${name} writes ${byteOffset} to ${end}, as a part from ${overlap?.[0]} does`);
    written.set(key, [...before, [byteOffset, end]]);
  }
}

for (const [name, [run, expected]] of Object.entries(operations)) {
  test(`${name} in parts has aligned, separate bindings inside its buffers, and is correct for any alignment`, async () => {
    const own = device().limits.minStorageBufferOffsetAlignment;
    // Offsets that the adapter refuses cannot run; the laws of splitRows cover them.
    for (const alignment of [4, 16, 256].filter((each) => Math.max(16, each) >= own)) {
      const written = new Map<string, [number, number][]>();
      let count = 0;
      await withLimits({ maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: alignment }, () =>
        withDispatches(
          (dispatch) => {
            expectApart(dispatch, alignment, written);
            count++;
          },
          () => near(run(), expected()),
        ),
      );
      ensure(count > 1, 'expected several parts');
    }
  });
}

test('parts with offsets valid on any adapter are correct with an assumed alignment of 4', async () => {
  const x = counting(48, 256);
  await withLimits({ maxStorageBufferBindingSize: 4096, minStorageBufferOffsetAlignment: 4 }, async () => {
    await near(tensor(x).relu(), reference.relu(x));
    await near(tensor(x).sum(0), reference.sum(x, [0]));
  });
});
