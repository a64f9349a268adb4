// Files of PyTorch's torch.save, and their contents according to PyTorch.
import { type PickleValue, readPytorch } from '@mien/nn/pytorch';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import golden from './pytorch.golden.json';

for (const format of ['zip', 'legacy'] as const) {
  test(`readPytorch reads what torch.save writes: every dtype, strided, shared and empty (${format})`, () => {
    const file = Uint8Array.from(atob(golden[format]), (letter) => letter.charCodeAt(0));
    const read = readPytorch(file);
    ensure(read.format === format, `the format is ${read.format}`);
    ensure([...read.tensors.keys()].join() === Object.keys(golden.tensors).join(), [...read.tensors.keys()].join());
    for (const [name, expected] of Object.entries(golden.tensors)) {
      const tensor = read.tensors.get(name);
      ensure(tensor?.dtype === expected.dtype, `${name} is ${tensor?.dtype}, expected ${expected.dtype}`);
      const host = tensor.toHost();
      ensure(host?.shape.join() === expected.shape.join(), `${name} is [${host?.shape}], expected [${expected.shape}]`);
      const values = expected.values.map(Math.fround);
      ensure(host.data.join() === values.join(), `${name} is ${host.data}, expected ${values}`);
    }
    const beside = (read.value as ReadonlyMap<PickleValue, PickleValue>).get('beside');
    const expected = [1, -1, 70000, 2 ** 40, 0.1, null, true, 'word', [3, 'x'], [2, 3]];
    ensure(JSON.stringify(beside) === JSON.stringify(expected), JSON.stringify(beside));
  });
}
