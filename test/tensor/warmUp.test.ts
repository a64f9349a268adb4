import { kernel, run, warmUp, zeros } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const text = (value: number): string => `@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn addOnce() { y[0] += ${value}; }
`;
const fresh = [1, 2, 4].map((value) => kernel(text(value)));
const again = kernel(text(4));

test('warmUp waits for the kernels of a function, reports each, and compiles none twice', async () => {
  const y = zeros([1]);
  await y.data();
  const progress: string[] = [];
  const step = (): string => {
    for (const each of [...fresh, again]) run(each, { y }, {}, 1);
    return 'done';
  };
  const result = await warmUp(step, (done, total) => progress.push(`${done} of ${total}`));
  ensure(result === 'done', result);
  ensure(progress.join() === '1 of 3,2 of 3,3 of 3', progress.join());
  ensure((await y.item()) === 11, 'expected the work of the function to be done');
  await warmUp(step, (done, total) => progress.push(`${done} of ${total}`));
  ensure(progress.length === 3, 'expected no compilation in the second call');
});
