// Files of torch.save that are truncated, damaged, or made to run code, exhaust memory or never end.
import { FormatError } from '@mien/nn';
import { readPytorch, writePytorch } from '@mien/nn/pytorch';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import {
  type Code,
  call,
  counted,
  dict,
  four,
  global,
  int,
  keep,
  kept,
  legacyFile,
  list,
  magic,
  orderedDict,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  zip,
  zipFile,
} from '../nn/pytorchKit.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const named = (value: Code): Uint8Array => pickle(dict(text('x'), value));
const x = tensor(storage(), [2, 2], [2, 1]);
const valid = named(x);

/** Each list contains the previous one twice: 2 ** 60 values in a few bytes. */
const doubling = (depth: number): Code => [
  ...list(int(1), keep(0)),
  ...Array.from({ length: depth }, (_, i) => [0x30, 0x5d, ...keep(i + 1), 0x28, ...kept(i), ...kept(i), 0x65]).flat(),
];
const nested = (depth: number): Code => [
  ...new Array<number>(depth).fill(0x5d),
  ...new Array<number>(depth - 1).fill(0x61),
];
const long = 'k'.repeat(2000);
/** 20,000 copies of a list of 20,000. */
const copying = list(
  [...list(...Array.from({ length: 20_000 }, () => [0x4e])), ...keep(0)],
  ...Array.from({ length: 20_000 }, () => call(global('builtins', 'set'), kept(0))),
);
/** A zip64 directory that claims four billion entries. */
const hugeDirectory = (): Uint8Array => {
  const file = zipFile(valid);
  const end = file.slice(-22);
  const directory = new DataView(end.buffer).getUint32(16, true);
  const wide = new DataView(new ArrayBuffer(76));
  wide.setUint32(0, 0x06064b50, true);
  wide.setUint32(32, 0xffffffff, true);
  wide.setUint32(48, directory, true);
  wide.setUint32(56, 0x07064b50, true);
  wide.setUint32(64, file.length - 22, true);
  return bytes(...file.subarray(0, -22), ...new Uint8Array(wide.buffer), ...end);
};
const foreign = (module: string, name: string): Uint8Array => zipFile(pickle(call(global(module, name), text('id'))));
const zipped = (...entries: readonly { name: string; bytes: Uint8Array; [lie: string]: unknown }[]): Uint8Array =>
  zip(entries);
const data = { name: 'archive/data.pkl', bytes: valid };

/** Files, and the expected messages. */
const hostile: Readonly<Record<string, readonly [file: Uint8Array, message: string]>> = {
  // Would run code.
  'os.system': [
    foreign('os', 'system'),
    'byte 2: it names os.system, which weights do not need, and no code in files is run',
  ],
  'posix.system in a legacy file': [
    legacyFile(pickle(call(global('posix', 'system'), text('id')))),
    'it names posix.system, which weights do not need, and no code in files is run',
  ],
  'eval by STACK_GLOBAL': [
    zipFile(pickle(text('builtins'), text('eval'), [0x93], tuple(text('1')), [0x52])),
    'it names builtins.eval',
  ],
  'a property of Object.prototype': [foreign('__proto__', 'constructor'), 'it names __proto__.constructor'],
  'a global with line breaks': [foreign('os\u2028', 'system\r'), 'it names'],
  'an instance by INST': [
    zipFile(pickle([0x28, 0x69, ...global('os', 'system').slice(1)])),
    'operation 0x69 is not one',
  ],
  'an extension code': [zipFile(pickle([0x82, 1])), 'operation 0x82 is not one that torch.save writes'],
  'a module': [
    zipFile(pickle(global('models.vgg', 'VGG'), [0x29, 0x81, 0x7d, 0x62])),
    'it holds an object of the Python class models.vgg.VGG instead of weights, and no code in files is run; in Python: torch.save(model.state_dict(), ',
  ],
  'a module in a legacy file': [
    legacyFile(pickle(tuple(text('module'), global('vgg', 'VGG'), text('vgg.py'), text('import os')), [0x51])),
    'it holds an object of the Python class vgg.VGG instead of weights, and no code in files is run',
  ],
  'a module of torch.nn': [
    foreign('torch.nn.modules.linear', 'Linear'),
    'it holds an object of the Python class torch.nn.modules.linear.Linear instead of weights, and no code in files is run',
  ],
  TorchScript: [foreign('__torch__', 'Net'), 'it is TorchScript (class __torch__.Net), and no code in files is run'],
  // Would exhaust memory or never end.
  'a list that contains itself': [zipFile(pickle([0x5d, ...keep(0), ...kept(0), 0x61])), 'it contains itself'],
  'a dict that contains itself': [
    zipFile(pickle([0x7d, ...keep(0), ...text('a'), ...kept(0), 0x73])),
    'a: it contains itself',
  ],
  'doubled lists of lists': [
    zipFile(pickle(doubling(60))),
    'its values repeat each other to more than the size of the file',
  ],
  'a list copied repeatedly': [
    zipFile(pickle(copying)),
    'its values repeat each other to more than the size of the file',
  ],
  'lists a thousand deep': [zipFile(pickle(nested(1000))), 'values are nested more than 64 deep'],
  'a name of 2000 letters': [
    zipFile(pickle(dict(text(long), x))),
    'expected a name of at most 1000 characters, got 2000',
  ],
  'a text of four billion bytes': [zipFile(pickle([0x58, 255, 255, 255, 255])), 'expected 4294967295 bytes, got 1'],
  'a text of 2 ** 64 bytes': [
    zipFile(pickle([0x8d, ...new Array<number>(8).fill(255)])),
    'expected 18446744073709552000 bytes, got 1',
  ],
  'an integer of a million bytes': [
    zipFile(pickle([0x8b, 64, 66, 15, 0])),
    'expected an integer of at most 256 bytes, got 1000000',
  ],
  'a storage beyond all memory': [
    zipFile(named(tensor(storage('FloatStorage', '0', 2 ** 50), [4], [1]))),
    'archive/data/0: 1125899906842624 elements of float32 need 4503599627370496 bytes, got 16',
  ],
  'a storage beyond all memory in a legacy file': [
    legacyFile(named(tensor(storage('FloatStorage', '0', 2 ** 50), [4], [1])), { elements: counted(four, 2 ** 50) }),
    'storage "0": expected 4503599627370504 bytes, got 24; the file is truncated',
  ],
  'one element viewed 2 ** 40 times': [
    zipFile(named(tensor(storage(), [2 ** 40], [0]))),
    'more than 16 times the file',
  ],
  'a view of 2 ** 80 elements with strides of 0': [
    zipFile(named(tensor(storage(), [2 ** 40, 2 ** 40], [0, 0]))),
    'more than 16 times the file',
  ],
  'a compressed pickle': [
    zipped({ ...data, compression: 8 }),
    'entry "archive/data.pkl" is compressed, which torch.save never does',
  ],
  'an entry larger than the file': [zipped({ ...data, size: 2 ** 31 }), 'has 2147483648 bytes, more than the file'],
  'an entry that grows': [zipped({ ...data, originalSize: 2 ** 31 }), 'is compressed'],
  'four billion entries': [hugeDirectory(), 'entry "" is repeated; the zip file is damaged'],
  // Would read outside of a storage.
  'a stride that leaves the storage': [
    zipFile(named(tensor(storage(), [2, 2], [3, 1]))),
    'tensor: [2, 2] with strides [3, 1] at offset 0 ends at element 4, outside its storage of 4 elements',
  ],
  'an offset that leaves the storage': [
    zipFile(named(tensor(storage(), [4], [1], 1))),
    'tensor: [4] with strides [1] at offset 1 ends at element 4, outside its storage of 4 elements',
  ],
  'an offset before the storage': [
    zipFile(named(tensor(storage(), [1], [1], -1))),
    'tensor: expected a non-negative offset, got -1',
  ],
  'a negative stride': [
    zipFile(named(tensor(storage(), [2], [-1], 3))),
    'tensor: expected a tuple of non-negative strides, got a tuple of 1',
  ],
  'a negative size': [
    zipFile(named(tensor(storage(), [-2], [1]))),
    'tensor: expected a tuple of sizes as shape, got a tuple of 1',
  ],
  'more sizes than strides': [
    zipFile(named(tensor(storage(), [2, 2], [1]))),
    'tensor: expected equally many sizes and strides, at most 64, got 2 and 1',
  ],
  'a hundred dimensions': [
    zipFile(named(tensor(storage(), new Array(100).fill(1), new Array(100).fill(1)))),
    'tensor: expected equally many sizes and strides, at most 64, got 100 and 100',
  ],
  'a view that leaves its storage': [
    legacyFile(named(tensor(storage('FloatStorage', '0', 4, tuple(text('v'), int(2), int(3))), [3], [1]))),
    'expected a view (key, first, elements) within 4 elements, got a tuple of 3',
  ],
  'a storage of two types': [
    zipFile(pickle(list(x, tensor(storage('LongStorage'), [1], [1])))),
    'storage "0" has 4 elements of int64 here, but 4 of float32 before',
  ],
  'a storage shorter than its tensors': [
    zipFile(valid, { 0: four.subarray(1) }),
    'archive/data/0: 4 elements of float32 need 16 bytes, got 15',
  ],
  'a missing storage': [zipFile(valid, {}), 'the entry archive/data/0 is missing, which the pickle refers to'],
  'a storage of complex numbers': [
    zipFile(named(storage('ComplexFloatStorage'))),
    'it names torch.ComplexFloatStorage',
  ],
  // Not a pickle of weights.
  'a tensor with a number as its storage': [
    zipFile(named(tensor(int(3), [1], [1]))),
    'tensor: expected a storage, got 3',
  ],
  'a parameter of a number': [
    zipFile(named(call(global('torch._utils', '_rebuild_parameter'), int(3)))),
    'parameter: expected a tensor, got 3',
  ],
  'a call of a text': [zipFile(named(call(text('f')))), 'expected a function to call, got "f"'],
  'a call without a tuple': [
    zipFile(pickle(global('collections', 'OrderedDict'), int(1), [0x52])),
    'collections.OrderedDict: expected a tuple of arguments, got 1',
  ],
  'an item of a number': [zipFile(pickle(int(1), int(2), int(3), [0x73])), 'expected a dict to set items of, got 1'],
  'an item added to a tuple': [
    zipFile(pickle(tuple(), int(3), [0x61])),
    'expected a list to append to, got a tuple of 0',
  ],
  'a list as a key': [
    zipFile(pickle(dict(list(), int(1)))),
    'expected a string or number as key of a dict, got a list of 0',
  ],
  'a key without a value': [zipFile(pickle(dict(int(1)))), 'the last key of a dict has no value'],
  'attributes of a number': [zipFile(pickle(int(1), dict(), [0x62])), 'expected a dict to set attributes of, got 1'],
  'a dict of numbers': [
    zipFile(pickle(call(global('collections', 'OrderedDict'), list(int(1))))),
    'dict: expected pairs, got 1',
  ],
  'an empty stack': [zipFile(pickle()), 'expected a value on the stack, got none'],
  'values left on the stack': [zipFile(pickle(int(1), int(2))), 'expected one value at its end, got 2'],
  'a mark left on the stack': [zipFile(pickle(int(1), [0x28])), 'expected a value on the stack, got none'],
  'no mark': [zipFile(pickle([0x74])), 'expected a mark on the stack, got none'],
  'a memo key that was never set': [zipFile(pickle([0x68, 7])), 'memo 7 is read, but was never written'],
  'a text that is not UTF-8': [zipFile(pickle([0x58, 2, 0, 0, 0, 0xc3, 0x28])), 'a string is not UTF-8'],
  'protocol 0': [zipFile(bytes(0x80, 0, 0x4e, 0x2e)), 'expected pickle protocol 2 to 5, got 0'],
  'an unknown persistent id': [zipFile(pickle(text('x'), [0x51])), 'expected a tuple as persistent id, got "x"'],
  'two tensors of one name': [
    zipFile(pickle(dict(text('a.b'), x, text('a'), dict(text('b'), x)))),
    'a.b: two tensors have this name',
  ],
  'a name of several lines': [
    zipFile(pickle(dict(text('a\nb'), x, text('a\nb'), tensor(storage(), [2 ** 40], [0])))),
    'a\\nb: its tensors have 4398046511104 bytes, more than 16 times the file',
  ],
  // Not a supported container.
  'an empty file': [bytes(), 'byte 0: expected at least 15 bytes, got 0'],
  'a text': [
    new TextEncoder().encode('emotion,pixels,Usage\n0,1 2 3,Training\n'),
    'byte 0: it is neither a zip file nor torch.save',
  ],
  'a tar file': [
    bytes(...new Array(257).fill(0), ...new TextEncoder().encode('ustar\0')),
    'it is a tar file of PyTorch before 0.1.10',
  ],
  'another kind of zip file': [
    zipped({ name: 'word/document.xml', bytes: four }),
    'expected one entry NAME/data.pkl, got 0',
  ],
  'a zip file of two pickles': [
    zipped(data, { ...data, name: 'b/data.pkl' }),
    'expected one entry NAME/data.pkl, got 2',
  ],
  'a duplicate entry': [zipped(data, data), 'entry "archive/data.pkl" is repeated'],
  'a big-endian zip file': [
    zipped(data, { name: 'archive/byteorder', bytes: new TextEncoder().encode('big') }),
    'archive/byteorder: expected little-endian storages',
  ],
  'another version': [legacyFile(valid, { version: 1002 }), 'expected format version 1001, got 1002'],
  'another magic number': [legacyFile(valid, { magic: [...magic.slice(0, -1), 0x18] }), 'neither a zip file nor'],
  'a big-endian legacy file': [
    legacyFile(valid, { machine: dict(text('little_endian'), [0x89]) }),
    'a big-endian machine',
  ],
  'a storage of another count': [
    legacyFile(valid, { elements: counted(four, 3) }),
    'storage "0": expected 4 elements, got 3',
  ],
  'a storage without elements': [legacyFile(valid, { keys: [] }), 'the elements of storage "0" are missing'],
  'a storage without a tensor': [
    legacyFile(valid, { keys: ['0', '1'] }),
    'unexpected elements of storage "1", which no tensor uses or which is repeated',
  ],
  'a duplicate storage': [
    legacyFile(valid, { keys: ['0', '0'] }),
    'unexpected elements of storage "0", which no tensor uses or which is repeated',
  ],
};

test('readPytorch abbreviates a key of 2 ** 50 parts', () => {
  const doubled = Array.from({ length: 50 }, () => [0x32, 0x86]).flat();
  const { tensors } = readPytorch(zipFile(pickle([0x7d], tuple(), doubled, x, [0x73])));
  ensure([...tensors.keys()].join() === 'a tuple of 2', [...tensors.keys()].join());
});

/** Maximum milliseconds of a refusal. */
const MAX_TIME = 5000;

for (const [name, [file, message]] of Object.entries(hostile)) {
  test(`readPytorch refuses ${name}`, () => {
    const start = performance.now();
    refuses(() => readPytorch(file, { file: 'w.pt' }), FormatError, message);
    refuses(() => readPytorch(file, { file: 'w.pt' }), FormatError, 'w.pt: ');
    ensure(performance.now() - start < MAX_TIME, `it took ${performance.now() - start} ms`);
  });
}

/** Whether the file can be read; throws unless an error is a FormatError of one line. */
function readOrRefuse(file: Uint8Array): boolean {
  try {
    for (const tensor of readPytorch(file, { file: 'w.pt' }).tensors.values()) tensor.toHost();
    return true;
  } catch (reason) {
    ensure(reason instanceof FormatError, `${reason instanceof Error ? reason.stack : reason}`);
    ensure(reason.message.startsWith('w.pt: '), reason.message);
    ensure(!/[\n\r]/.test(reason.message), `more than one line: ${reason.message}`);
    return false;
  }
}

const small = new Map([['x', { shape: [2, 2], dtype: 'float32' as const, data: Float32Array.of(1, 2, 3, 4) }]]);
const validFiles: readonly Uint8Array[] = [
  zipFile(valid),
  legacyFile(valid),
  writePytorch({ net: small, epoch: 3, acc: 0.5, words: ['a', null, true] }),
  legacyFile(pickle(dict(text('a'), x, text('b'), tuple(x, orderedDict)))),
];

test('readPytorch refuses files truncated at any byte', () => {
  for (const file of validFiles) {
    ensure(readOrRefuse(file), 'the complete file was refused');
    for (let length = 0; length < file.length; length++) {
      ensure(!readOrRefuse(file.slice(0, length)), `${length} of ${file.length} bytes were read`);
    }
  }
});

test('readPytorch reads or refuses files with any byte changed', () => {
  for (const file of validFiles) {
    for (let at = 0; at < file.length; at++) {
      for (const value of [0, 1, 0x28, 0x52, 0x7f, 0x80, 255]) {
        const changed = file.slice();
        changed[at] = value;
        readOrRefuse(changed);
      }
    }
  }
});

law(
  'readPytorch reads or refuses valid files with bytes changed, removed and inserted',
  fc.record({
    file: fc.constantFrom(...validFiles),
    edits: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        cut: fc.nat(8),
        put: fc.uint8Array({ maxLength: 8 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  ({ file, edits }) => {
    const changed = [...file];
    for (const { at, cut, put } of edits) changed.splice(Math.floor(at * changed.length), cut, ...put);
    readOrRefuse(Uint8Array.from(changed));
  },
  { runs: 2000 },
);

const operations = [
  ...[0x28, 0x2e, 0x30, 0x31, 0x32, 0x4e, 0x88, 0x89, 0x29, 0x74, 0x85, 0x86, 0x87, 0x5d, 0x6c, 0x61, 0x65, 0x8f, 0x90],
  ...[0x91, 0x7d, 0x64, 0x73, 0x75, 0x94, 0x52, 0x81, 0x62, 0x51, 0x93],
];
const piece: fc.Arbitrary<Code> = fc.oneof(
  fc.constantFrom(...operations).map((code): Code => [code]),
  fc.constantFrom<Code>(
    x,
    storage(),
    orderedDict,
    text('a'),
    int(1),
    dict(),
    list(),
    tuple(int(2), int(2)),
    keep(0),
    kept(0),
  ),
  fc.constantFrom<Code>(
    global('torch._utils', '_rebuild_tensor_v2'),
    global('torch', 'Size'),
    global('_codecs', 'encode'),
  ),
  fc.uint8Array({ maxLength: 3 }).map((raw): Code => [...raw]),
);

law(
  'readPytorch reads or refuses pickles of any operations in any order',
  fc.array(piece, { maxLength: 30 }),
  (pieces) => {
    readOrRefuse(zipFile(pickle(...pieces)));
    readOrRefuse(legacyFile(pickle(...pieces)));
  },
  { runs: 3000 },
);

law(
  'readPytorch reads or refuses any bytes after a valid prefix',
  fc.record({
    start: fc.constantFrom<Code>([], [0x50, 0x4b, 3, 4], [...pickle(magic)]),
    rest: fc.uint8Array({ maxLength: 400 }),
  }),
  ({ start, rest }) => void readOrRefuse(bytes(...start, ...rest)),
  { runs: 1000 },
);
