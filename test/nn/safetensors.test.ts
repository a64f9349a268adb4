import { FormatError, type HostTensor, type StoredDtype } from '@mien/nn';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const float32 = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(values),
});

const hostTensors: fc.Arbitrary<HostTensor> = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }),
    dtype: fc.constantFrom('float32' as const, 'int32' as const, 'uint32' as const, 'bool' as const),
    seed: fc.integer(),
  })
  .map(({ shape, dtype, seed }) => {
    const size = shape.reduce((product, each) => product * each, 1);
    const bits = Uint32Array.from({ length: size }, (_, i) => Math.imul(seed ^ i, 0x9e3779b1) >>> 0);
    if (dtype === 'bool') return { shape, dtype, data: bits.map((each) => each & 1) };
    if (dtype === 'uint32') return { shape, dtype, data: bits };
    return { shape, dtype, data: dtype === 'int32' ? new Int32Array(bits.buffer) : new Float32Array(bits.buffer) };
  });

/** Raw bits, so that NaNs compare. */
const bitsOf = ({ data }: HostTensor): string => new Uint32Array(data.buffer, data.byteOffset, data.length).join();

law(
  'readSafetensors returns, bit for bit, what writeSafetensors was given',
  fc.record({ tensors: fc.dictionary(fc.string(), hostTensors), metadata: fc.dictionary(fc.string(), fc.string()) }),
  ({ tensors, metadata }) => {
    const named = new Map(Object.entries(tensors).filter(([name]) => name !== '__metadata__'));
    const bytes = writeSafetensors(named, new Map(Object.entries(metadata)));
    const actual = readSafetensors(bytes);
    ensure(actual.tensors.size === named.size, `${actual.tensors.size} tensors of ${named.size}`);
    for (const [name, value] of named) {
      const read = actual.tensors.get(name);
      ensure(read !== undefined, `${JSON.stringify(name)} is missing`);
      ensure(
        read.dtype === value.dtype && read.shape.join() === value.shape.join(),
        `${name} changed its shape or dtype`,
      );
      ensure(bitsOf(read) === bitsOf(value), `${name} changed its values`);
    }
    ensure(JSON.stringify([...actual.metadata].sort()) === JSON.stringify(Object.entries(metadata).sort()), 'metadata');
    const again = writeSafetensors(named, new Map(Object.entries(metadata)));
    ensure(bytes.join() === again.join(), 'the same tensors gave other bytes');
  },
);

law(
  'writeSafetensors as F16 rounds to the nearest 16-bit float, ties to even',
  fc.array(
    fc.oneof(
      fc.float({ min: -65519, max: 65519, noNaN: true }),
      fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
      fc.constantFrom(
        0,
        -0,
        2 ** -24,
        2 ** -25,
        1.5 * 2 ** -24,
        2049,
        2051,
        65504,
        65519,
        Math.fround(2 ** -14 * 0.99999),
      ),
    ),
    { minLength: 1 },
  ),
  (values) => {
    const bytes = writeSafetensors(new Map([['x', float32([values.length], values)]]), new Map(), { float32As: 'F16' });
    const read = readSafetensors(bytes).tensors.get('x') as HostTensor;
    ensure(bytes.length < 8 + 64 + 8 + 2 * values.length, `${bytes.length} bytes`);
    for (const [i, value] of values.entries()) {
      const got = read.data[i] as number;
      // The spacing is 2^-10 of the power of two below, at least 2^-24.
      const step = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(value))) - 10);
      const steps = got / step;
      ensure(Number.isInteger(steps), `${value} became ${got}, no 16-bit float`);
      const error = Math.abs(got - value);
      ensure(error < step / 2 || (error === step / 2 && steps % 2 === 0), `${value} became ${got}`);
      ensure(Object.is(Math.sign(got), Math.sign(value)) || got === 0, `${value} became ${got}`);
    }
  },
);

test('writeSafetensors as F16 keeps infinities and NaN, refuses values out of range, and does not change other dtypes', () => {
  const special = float32([3], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
  const count: HostTensor = { shape: [1], dtype: 'int32', data: Int32Array.of(70000) };
  const bytes = writeSafetensors(
    new Map([
      ['x', special],
      ['n', count],
    ]),
    new Map(),
    { float32As: 'F16' },
  );
  const { tensors } = readSafetensors(bytes);
  ensure(tensors.get('x')?.data.join() === 'Infinity,-Infinity,NaN', String(tensors.get('x')?.data));
  ensure(tensors.get('n')?.data[0] === 70000, 'an int32 changed');
  refuses(
    () => writeSafetensors(new Map([['w', float32([2], [1, 65520])]]), new Map(), { float32As: 'F16' }),
    ValueError,
    'writeSafetensors: element 1 of w is 65520, out of range of F16; store it as F32',
  );
});

/** A file with any header and data. */
function file(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const entry = (dtype: string, shape: readonly number[], from: number, to: number): unknown => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

const bytesOf = (values: { readonly buffer: ArrayBufferLike }): number[] => [...new Uint8Array(values.buffer)];

test('readSafetensors reads any view of a buffer, aligned or not', () => {
  const bytes = writeSafetensors(new Map([['x', float32([2], [1.5, -2])]]));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const x = readSafetensors(shifted.subarray(3)).tensors.get('x');
  ensure(x?.data.join() === '1.5,-2', String(x?.data));
});

test('readSafetensors converts F64, F16, BF16, I64, I16, I8, U8 and BOOL', () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0xfc00, 0x8000, 0x3555);
  const brains = Uint16Array.of(0x3f80, 0xc000, 0x7f80);
  const wide = BigInt64Array.of(7n, -(2n ** 31n), 2n ** 31n - 1n);
  const header = {
    f16: entry('F16', [8], 0, 16),
    bf16: entry('BF16', [3], 16, 22),
    i64: entry('I64', [3], 22, 46),
    u8: entry('U8', [2], 46, 48),
    bool: entry('BOOL', [2], 48, 50),
    f64: entry('F64', [2], 50, 66),
    i16: entry('I16', [2], 66, 70),
    i8: entry('I8', [2], 70, 72),
  };
  const narrow = [...bytesOf(Float64Array.of(-0.5, -Infinity)), ...bytesOf(Int16Array.of(7, -32768)), 127, 128];
  const data = [...bytesOf(halves), ...bytesOf(brains), ...bytesOf(wide), 0, 255, 1, 0, ...narrow];
  const { tensors } = readSafetensors(file(header, data));
  const expected = {
    f16: ['float32', [1, -2, 65504, 2 ** -24, Infinity, -Infinity, -0, 0.333251953125]],
    bf16: ['float32', [1, -2, Infinity]],
    i64: ['int32', [7, -(2 ** 31), 2 ** 31 - 1]],
    u8: ['uint32', [0, 255]],
    bool: ['bool', [1, 0]],
    f64: ['float32', [-0.5, -Infinity]],
    i16: ['int32', [7, -32768]],
    i8: ['int32', [127, -128]],
  } as const;
  for (const [name, [dtype, values]] of Object.entries(expected)) {
    const actual = tensors.get(name);
    ensure(actual?.dtype === dtype, `${name} is ${actual?.dtype}`);
    ensure(
      values.every((value, i) => Object.is(actual.data[i], value)),
      `${name} is ${actual.data}`,
    );
  }
});

const one = { x: entry('F32', [1], 0, 4) };
const four = [0, 0, 128, 63];
const tooLong = new Uint8Array(16);
new DataView(tooLong.buffer).setBigUint64(0, 2n ** 40n, true);

/** Broken files, and the expected messages. */
const hostile: Readonly<Record<string, readonly [bytes: Uint8Array, message: string]>> = {
  'an empty file': [new Uint8Array(), 'w.safetensors: byte 0: expected at least 8 bytes, got 0'],
  'a header longer than the limit': [tooLong, 'expected a header of at most 100000000 bytes, got 1099511627776'],
  'a header longer than the file': [file(one, four).subarray(0, 20), 'expected a header of 54 bytes, got 12'],
  'data that is cut short': [file(one, four.slice(1)), 'tensor x: ends at byte 4 of the data, the file has 3'],
  'data after the last tensor': [file(one, [...four, 0]), 'data: 1 extra bytes after the last tensor'],
  'a header that is not JSON': [file('{"x": '), 'header: not JSON in UTF-8'],
  'a header that is a list': [file('[]'), 'header: not JSON in UTF-8 (it does not start with {)'],
  'a header that is not UTF-8': [file(one, four).fill(255, 10, 12), 'header: not JSON in UTF-8'],
  'an entry that is a number': [
    file({ x: 3 }),
    'tensor x: expected an object with dtype, shape and data_offsets, got 3',
  ],
  'an entry without a shape': [
    file({ x: { dtype: 'F32', data_offsets: [0, 4] } }, four),
    'tensor x: shape must be a list of sizes, got undefined',
  ],
  'a negative size': [file({ x: entry('F32', [-1], 0, 4) }, four), 'tensor x: shape must be a list of sizes, got [-1]'],
  'a size of 1.5': [file({ x: entry('F32', [1.5], 0, 6) }, four), 'tensor x: shape must be a list of sizes, got [1.5]'],
  'an unknown dtype': [
    file({ x: entry('F8_E5M2', [4], 0, 4) }, four),
    'tensor x: dtype must be one of F32, F16, BF16, F64, I64, I32, I16, I8, U32, U8, BOOL, got "F8_E5M2"',
  ],
  'a dtype of every object': [
    file({ x: entry('constructor', [4], 0, 4) }, four),
    'tensor x: dtype must be one of F32, F16, BF16, F64, I64, I32, I16, I8, U32, U8, BOOL, got "constructor"',
  ],
  'one offset': [
    file({ x: { dtype: 'F32', shape: [1], data_offsets: [0] } }, four),
    'tensor x: data_offsets must be two byte offsets, got [0]',
  ],
  'offsets that do not fit the shape': [
    file({ x: entry('F32', [2], 0, 4) }, four),
    'tensor x: F32 [2] needs 8 bytes, its data_offsets [0, 4] have 4',
  ],
  'offsets that go back': [
    file({ x: entry('F32', [1], 4, 0) }, four),
    'tensor x: F32 [1] needs 4 bytes, its data_offsets [4, 0] have -4',
  ],
  'overlapping tensors': [
    file({ x: entry('F32', [1], 0, 4), y: entry('F16', [1], 2, 4) }, four),
    'tensor y: starts at byte 2 of the data, before the previous tensor ends (4)',
  ],
  'a hole between tensors': [
    file({ x: entry('U8', [1], 0, 1), y: entry('U8', [1], 3, 4) }, four),
    'tensor y: starts at byte 3 of the data, after a gap: the previous tensor ends at 1',
  ],
  'a shape beyond all memory': [
    file({ x: entry('F32', [2 ** 40, 2 ** 40], 0, 4) }, four),
    'tensor x: F32 [1099511627776',
  ],
  'metadata that is not a string': [file({ __metadata__: { a: 1 } }), '__metadata__ a: expected a string, got 1'],
  'an integer beyond int32': [
    file({ x: entry('I64', [1], 0, 8) }, bytesOf(BigInt64Array.of(2n ** 31n))),
    'tensor x: an I64 value does not fit int32',
  ],
  'a float beyond float32': [
    file({ x: entry('F64', [1], 0, 8) }, bytesOf(Float64Array.of(1e300))),
    'tensor x: an F64 value does not fit float32',
  ],
};

for (const [what, [bytes, message]] of Object.entries(hostile)) {
  test(`readSafetensors refuses ${what}`, () => {
    refuses(() => readSafetensors(bytes, { file: 'w.safetensors' }), FormatError, message);
  });
}

law(
  'readSafetensors refuses every truncated file',
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  (part) => {
    const bytes = writeSafetensors(new Map([['x', float32([3], [1, 2, 3])]]), new Map([['mien', '{}']]));
    refuses(() => readSafetensors(bytes.subarray(0, Math.floor(part * bytes.length))), FormatError, 'safetensors:');
  },
);

test('readSafetensors refuses NaN only on demand', () => {
  const bytes = writeSafetensors(new Map([['x', float32([2], [1, Number.NaN])]]));
  ensure(Number.isNaN(readSafetensors(bytes).tensors.get('x')?.data[1]), 'NaN was lost');
  refuses(() => readSafetensors(bytes, { refuseNaN: true }), FormatError, 'tensor x: element 1 is NaN');
});

test('writeSafetensors refuses data whose size does not match the shape', () => {
  refuses(
    () => writeSafetensors(new Map([['x', float32([3], [1])]])),
    ValueError,
    'writeSafetensors: x [3] needs 3 elements, got 1',
  );
});

/** The bytes per element of each type, and of a random element that float32, int32 or uint32 represents exactly. */
const storedTypes: Readonly<
  Record<StoredDtype, readonly [bytes: number, element: (random: number) => ArrayBufferView]>
> = {
  F32: [4, (r) => Uint32Array.of(r)],
  F16: [2, (r) => Uint16Array.of((r & 0x7c00) === 0x7c00 ? r & 0xfc00 : r)],
  BF16: [2, (r) => Uint16Array.of((r & 0x7f80) === 0x7f80 ? r & 0xff80 : r)],
  F64: [8, (r) => Float64Array.of(Math.fround(r / 7))],
  I64: [8, (r) => BigInt64Array.of(BigInt(r | 0))],
  I32: [4, (r) => Uint32Array.of(r)],
  I16: [2, (r) => Uint16Array.of(r)],
  I8: [1, (r) => Uint8Array.of(r)],
  U32: [4, (r) => Uint32Array.of(r)],
  U8: [1, (r) => Uint8Array.of(r)],
  BOOL: [1, (r) => Uint8Array.of(r & 1)],
};

law(
  'a file with elements of any types is unchanged after it is read and written',
  fc.array(
    fc.record({
      stored: fc.constantFrom(...(Object.keys(storedTypes) as StoredDtype[])),
      words: fc.array(fc.nat(0xffffffff), { maxLength: 9 }),
    }),
    { maxLength: 12 },
  ),
  (tensors) => {
    const header: Record<string, unknown> = {};
    const data: number[] = [];
    // writeSafetensors puts wide elements first.
    const ordered = tensors.map((each, i) => ({ ...each, i })).sort((a, b) => widthOf(b.stored) - widthOf(a.stored));
    for (const { stored, words, i } of ordered) {
      const [, element] = storedTypes[stored];
      const bytes = words.flatMap((word) => [...new Uint8Array(element(word).buffer)]);
      header[`t${i}`] = {
        dtype: stored,
        shape: [words.length],
        data_offsets: [data.length, data.length + bytes.length],
      };
      data.push(...bytes);
    }
    const json = new TextEncoder().encode(JSON.stringify(header));
    const start = 8 + Math.ceil(json.length / 8) * 8;
    const file = new Uint8Array(start + data.length).fill(0x20, 8, start);
    new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
    file.set(json, 8);
    file.set(data, start);
    const read = readSafetensors(file);
    for (const { stored, i } of ordered)
      ensure(read.tensors.get(`t${i}`)?.storedDtype === stored, `t${i} is ${stored}`);
    ensure(writeSafetensors(read.tensors, read.metadata).join() === file.join(), 'other bytes');
  },
);
// Elements of one width are written in the given order, after widening to 1, 2, 4 or 8 bytes.
const widthOf = (stored: StoredDtype): number => storedTypes[stored][0];

test("writeSafetensors refuses values out of the stored type's range, and data of another dtype", () => {
  const of =
    (tensor: HostTensor): (() => void) =>
    () =>
      void writeSafetensors(new Map([['w', tensor]]));
  const int = (value: number, storedDtype: StoredDtype): HostTensor => ({
    shape: [1],
    dtype: 'int32',
    data: Int32Array.of(value),
    storedDtype,
  });
  refuses(
    of(int(200, 'I8')),
    ValueError,
    'writeSafetensors: element 0 of w is 200, out of range of I8; store it as I32',
  );
  refuses(of(int(1, 'F16')), ValueError, "w is int32 and cannot be stored as 'F16'");
  refuses(of({ shape: [1], dtype: 'bool', data: Uint32Array.of(2) }), ValueError, 'out of range of BOOL');
  refuses(of({ shape: [1], dtype: 'int32', data: Float32Array.of(2) }), ValueError, 'must be a Int32Array');
  refuses(of({ ...float32([1], [3.4e38]), storedDtype: 'BF16' }), ValueError, 'out of range of BF16; store it as F32');
});
