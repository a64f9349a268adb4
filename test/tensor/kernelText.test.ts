import { KernelError, ones, tensor } from '@mien/tensor';
import { withKernelText } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const doubled = (name: string, text: string): string =>
  name === 'convert' ? text.replace('vec4<result>(x[i])', 'vec4<result>(2 * x[i])') : text;

test('withKernelText changes a kernel, also one that ran before, and restores it', async () => {
  const x = tensor(Int32Array.of(1, 2, 3));
  const values = async (): Promise<string> => (await x.to('float32').data()).join();
  ensure((await values()) === '1,2,3', 'expected correct results before');
  ensure((await withKernelText(doubled, values)) === '2,4,6', 'the changed text was not used');
  ensure((await values()) === '1,2,3', 'the text was not restored');
});

test('withKernelText changes libraries, and restores them after an error', async () => {
  const noGroups = (name: string, text: string): string => (name === 'lib/grid.wgsl' ? 'fn linearGroup() {}' : text);
  const sum = async (): Promise<number> => (await ones([3]).add(1).sum()).item();
  let reason: unknown = null;
  await withKernelText(noGroups, sum).catch((thrown) => {
    reason = thrown;
  });
  ensure(reason instanceof KernelError && reason.message.includes('does not compile'), `got ${reason}`);
  ensure((await sum()) === 6, 'the library was not restored');
});
