import type { HostTensor } from '@mien/nn';
import { readPytorch, type Writable, writePytorch } from '@mien/nn/pytorch';
import { ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import {
  call,
  counted,
  dict,
  global,
  int,
  legacyFile,
  list,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  zipFile,
} from './pytorchKit.ts';

const hostTensors: fc.Arbitrary<HostTensor> = fc
  .record({
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }),
    dtype: fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const),
    seed: fc.integer(),
  })
  .map(({ shape, dtype, seed }) => {
    const size = shape.reduce((product, each) => product * each, 1);
    const bits = Uint32Array.from({ length: size }, (_, i) => Math.imul(seed ^ i, 0x9e3779b1) >>> 0);
    if (dtype === 'bool') return { shape, dtype, data: bits.map((each) => each & 1) };
    return { shape, dtype, data: dtype === 'int32' ? new Int32Array(bits.buffer) : new Float32Array(bits.buffer) };
  });

/** Raw bits, so that NaNs compare. */
const bitsOf = ({ data }: HostTensor): string => new Uint32Array(data.buffer, data.byteOffset, data.length).join();

law(
  'readPytorch returns, bit for bit, what writePytorch was given',
  fc.dictionary(fc.string({ maxLength: 20, unit: 'grapheme' }), hostTensors),
  (tensors) => {
    const net = new Map(Object.entries(tensors));
    const bytes = writePytorch({ net });
    const actual = readPytorch(bytes);
    ensure(actual.tensors.size === net.size, `${actual.tensors.size} tensors of ${net.size}`);
    for (const [name, value] of net) {
      const read = actual.tensors.get(`net.${name}`)?.toHost();
      ensure(read?.dtype === value.dtype && read.shape.join() === value.shape.join(), `${name} changed its form`);
      ensure(bitsOf(read) === bitsOf(value), `${name} changed its values`);
    }
    ensure(bytes.join() === writePytorch({ net }).join(), 'the same tensors gave other bytes');
  },
);

/** A value as it is read: dicts are Maps. */
const asRead = (value: Writable): unknown =>
  Array.isArray(value)
    ? value.map(asRead)
    : typeof value === 'object' && value !== null
      ? new Map(Object.entries(value).map(([key, each]) => [key, asRead(each)]))
      : value;

law(
  'readPytorch returns the numbers, strings, lists and dicts that writePytorch was given',
  fc.letrec<{ value: Writable }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.integer(),
      fc.double(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 4 }),
    ),
  })).value,
  (value) => {
    const { value: read } = readPytorch(writePytorch(value));
    ensure(fc.stringify(read) === fc.stringify(asRead(value)), `${fc.stringify(read)} was read`);
  },
  { runs: 200 },
);

test('writePytorch writes more strings and items than fit into one byte or one batch', () => {
  const names = Array.from({ length: 2500 }, (_, i) => [`name ${i}`, i] as const);
  const { value } = readPytorch(
    writePytorch([...names.map(([name]) => name), new Map(names), ...names.map(([name]) => name)]),
  );
  const [first, dictionary, last] = [0, 2500, 5000].map((at) => (value as readonly unknown[])[at]);
  ensure(first === 'name 0' && last === 'name 2499', `${first} and ${last}`);
  ensure((dictionary as ReadonlyMap<string, number>).get('name 2000') === 2000, 'the dict changed');
});

test('writePytorch aligns every storage to 64 bytes, as torch.save does', () => {
  const values = [7.25, -3.5, 1e-9];
  const tensors = values.map((value, i) => [`x${i}`, { shape: [1], dtype: 'float32', data: Float32Array.of(value) }]);
  const bytes = writePytorch(Object.fromEntries(tensors));
  const view = new DataView(bytes.buffer);
  for (const value of values) {
    const places = Array.from({ length: bytes.length - 4 }, (_, at) => at).filter(
      (at) => view.getFloat32(at, true) === Math.fround(value),
    );
    ensure(places.length === 1 && (places[0] as number) % 64 === 0, `${value} is at ${places}`);
  }
});

test('writePytorch refuses uint32, for which PyTorch has no storage, and data whose size does not match the shape', () => {
  const data = Uint32Array.of(1);
  refuses(
    () => writePytorch({ x: { shape: [1], dtype: 'uint32', data } }),
    ValueError,
    'PyTorch has no uint32 storages',
  );
  const short = { shape: [3], dtype: 'float32' as const, data: new Float32Array(2) };
  refuses(() => writePytorch({ x: short }), ValueError, 'writePytorch: a tensor [3] needs 3 elements, got 2');
});

law(
  'readPytorch reads a strided view of a storage element by element, in both formats',
  fc
    .record({
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      strides: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 4 }),
      offset: fc.nat(5),
      type: fc.constantFrom(['FloatStorage', Float32Array] as const, ['DoubleStorage', Float64Array] as const),
    })
    .map(({ strides, ...rest }) => ({ ...rest, stride: strides.slice(0, rest.shape.length) })),
  ({ shape, stride, offset, type: [type, Values] }) => {
    const last = shape.reduce((sum, size, dim) => sum + Math.max(0, size - 1) * (stride[dim] as number), offset);
    const values = new Values(Array.from({ length: last + 1 }, (_, i) => i / 4 - 3));
    const bytes = new Uint8Array(values.buffer);
    const code = pickle(tensor(storage(type, '0', values.length), shape, stride, offset));
    let places = [offset];
    for (const [dim, size] of shape.entries()) {
      places = places.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * (stride[dim] as number)));
    }
    const expected = places.map((at) => at / 4 - 3).join();
    for (const file of [zipFile(code, { 0: bytes }), legacyFile(code, { elements: counted(bytes, values.length) })]) {
      const actual = readPytorch(file).tensors.get('tensor')?.toHost();
      ensure(
        actual?.shape.join() === shape.join() && actual.data.join() === expected,
        `${actual?.data} for ${expected}`,
      );
    }
  },
  { runs: 200 },
);

const one = (type: string, values: { readonly buffer: ArrayBufferLike; readonly length: number }): Uint8Array => {
  const code = pickle(tensor(storage(type, '0', values.length), [values.length], [1]));
  return zipFile(code, { 0: new Uint8Array(values.buffer as ArrayBuffer) });
};

test('readPytorch converts to host tensors, gives null for values out of range of int32 or float32, and keeps infinities', () => {
  const host = (type: string, values: Parameters<typeof one>[1]): HostTensor | null | undefined =>
    readPytorch(one(type, values)).tensors.get('tensor')?.toHost();
  ensure(host('LongStorage', BigInt64Array.of(2n ** 31n)) === null, 'an int64 was wrapped');
  ensure(host('DoubleStorage', Float64Array.of(1e300)) === null, 'a float64 was made infinite');
  const kept = host('DoubleStorage', Float64Array.of(Infinity, -Infinity, Number.NaN, -0))?.data;
  ensure(
    kept !== undefined && [Infinity, -Infinity, Number.NaN, -0].every((value, i) => Object.is(kept[i], value)),
    `${kept}`,
  );
});

test('readPytorch reads views of legacy files, sets, bytes and devices, and names tensors by their paths', () => {
  const view = tensor(storage('FloatStorage', '0', 4, tuple(text('v'), int(1), int(3))), [2], [2]);
  const code = pickle(
    dict(
      text('views'),
      list(view, tensor(storage(), [1], [1])),
      int(7),
      tuple(view),
      text('device'),
      call(global('torch', 'device'), text('cuda'), int(1)),
      text('set'),
      call(global('builtins', 'set'), list(int(1), int(2))),
      text('bytes'),
      call(global('_codecs', 'encode'), text('a\u00ff'), text('latin1')),
      text('dtype'),
      global('torch', 'float32'),
    ),
  );
  const { tensors, value } = readPytorch(legacyFile(code));
  ensure([...tensors.keys()].join() === 'views.0,views.1,7.0', [...tensors.keys()].join());
  ensure(tensors.get('views.0')?.toHost()?.data.join() === '2,4', `${tensors.get('views.0')?.toHost()?.data}`);
  const read = value as ReadonlyMap<string, unknown>;
  const plain = ['device', 'set', 'bytes', 'dtype'].map((key) => String(read.get(key)));
  ensure(plain.join(' ') === 'cuda:1 1,2 97,255 torch.float32', plain.join(' '));
});
