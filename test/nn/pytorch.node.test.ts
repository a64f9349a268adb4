// Files of torch.save from other projects, compared with facts from another reader. They are beside the repository; without
// them these tests are skipped.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { type PickleValue, type PytorchTensor, readPytorch } from '@mien/nn/pytorch';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const folder = join('..', 'shared', 'data', 'torch');
const skip = existsSync(folder) ? undefined : `${folder} is not on this machine`;

interface TensorFacts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly dtype: string;
  readonly storage: string;
  readonly storageOffset: number;
  readonly device: string;
  readonly sha256: string;
  readonly first: readonly (number | boolean | string)[];
  readonly sum?: number;
}

interface FileFacts {
  readonly format: 'zip' | 'legacy' | 'invalid';
  readonly structure?: unknown;
  readonly tensors: readonly TensorFacts[];
}

const facts: Readonly<Record<string, FileFacts>> = skip
  ? {}
  : JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8'));

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));

/** Files that hold more than weights, and the expected messages. */
const refusals: Readonly<Record<string, string>> = {
  'burn_broken.pt': 'burn_broken.pt: byte 0: expected at least 15 bytes, got 3',
  'tchrs_foo.pt': 'it is TorchScript (class __torch__.Foo), and no code in files is run',
};

for (const [name, message] of Object.entries(refusals)) {
  test(
    `readPytorch refuses ${name}`,
    () => refuses(() => readPytorch(read(name), { file: name }), FormatError, message),
    {
      skip,
    },
  );
}

const numbers = (value: number | boolean | string | undefined): number =>
  typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : Number(value);

function agrees(tensor: PytorchTensor, fact: TensorFacts): void {
  const { name } = fact;
  const hash = createHash('sha256').update(tensor.bytes()).digest('hex');
  const actual = {
    shape: tensor.shape,
    stride: tensor.stride,
    dtype: tensor.dtype,
    storage: tensor.storage.key,
    storageOffset: tensor.offset,
    device: tensor.storage.location,
    sha256: hash,
  };
  for (const [key, value] of Object.entries(actual)) {
    const expected = fact[key as keyof TensorFacts];
    ensure(JSON.stringify(value) === JSON.stringify(expected), `${name}: ${key} is ${value}, expected ${expected}`);
  }
  const host = tensor.toHost();
  ensure(host !== null, `${name}: a value is out of range`);
  fact.first.forEach((value, i) => {
    ensure(Object.is(host.data[i], numbers(value)), `${name}: element ${i} is ${host.data[i]}, expected ${value}`);
  });
  if (fact.sum === undefined) return;
  const values = Array.from(host.data);
  const sum = values.reduce((all, each) => all + each, 0);
  const scale = values.reduce((all, each) => all + Math.abs(each), 0);
  ensure(Math.abs(sum - fact.sum) <= Number.EPSILON * scale * values.length, `${name}: the sum is ${sum}`);
}

/** The structure in the form of the facts: tensors as paths, long strings as lengths. */
function structureOf(value: PickleValue | undefined, facts: unknown, path: string): void {
  if (facts === null || typeof facts !== 'object') {
    const apart = typeof facts === 'string' && facts.startsWith('(');
    ensure(apart || value === facts, `${path} is ${String(value)}, expected ${facts}`);
    return;
  }
  const [[kind, content]] = Object.entries(facts) as [[string, never]];
  if (kind === 'dict' || kind === 'OrderedDict') {
    ensure(value instanceof Map, `${path} is no dict`);
    const named = (key: PickleValue): string => (typeof key === 'number' ? `${key} (int)` : String(key));
    const keys = [...value.keys()].map(named);
    ensure(JSON.stringify(keys) === JSON.stringify(Object.keys(content)), `${path} has the keys ${keys}`);
    for (const [key, item] of value) structureOf(item, content[named(key)], `${path}.${key}`);
  } else if (kind === 'tuple' || kind === 'list') {
    const [items, expected] = [value as readonly PickleValue[], content as readonly unknown[]];
    ensure(items.length === expected.length, `${path} has ${items.length} items`);
    items.forEach((item, i) => void structureOf(item, expected[i], `${path}.${i}`));
  } else if (kind === 'strLength' || kind === 'listLength')
    ensure((value as string).length === content, `${path}: length`);
  else ensure(kind === 'tensor', `${path}: the facts have a ${kind}`);
}

for (const [name, fact] of Object.entries(facts)) {
  if (Object.hasOwn(refusals, name)) continue;
  test(`readPytorch gives the tensors and values of ${name} as another reader found them`, () => {
    const { format, value, tensors } = readPytorch(read(name), { file: name });
    ensure(format === fact.format, `the format is ${format}`);
    const names = fact.tensors.map((each) => each.name);
    ensure([...tensors.keys()].join() === names.join(), `tensors are ${[...tensors.keys()]}, expected ${names}`);
    for (const each of fact.tensors) agrees(tensors.get(each.name) as PytorchTensor, each);
    structureOf(value, fact.structure, name);
  });
}

test('the facts cover 22 files', () => ensure(Object.keys(facts).length === 22, `${Object.keys(facts).length}`), {
  skip,
});
