// A restricted unpickler: the operations of Python's pickle protocol that torch.save writes. Nothing of the file is ever
// run: a name must be one of those in globals.ts, whose meaning is written there.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
import { Machine, type Source } from './machine.ts';
import { isList, type PickleValue, type Refuse, shown } from './values.ts';

/** A value, and the byte that follows its pickle. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads the pickle that starts at byte `start`. Time and memory grow with its bytes only. Throws FormatError, naming the
 * byte, for what is cut short, what torch.save has never written, and every name that weights have no use for.
 */
export function unpickle(source: Source, start = 0): Unpickled {
  const machine = new Machine(source, start);
  while (!machine.stopped) {
    const code = machine.next();
    const run = OPERATIONS[code];
    if (!run) {
      const name = `0x${code.toString(16).padStart(2, '0')}`;
      throw machine.refuse(
        `operation ${name} is not one that torch.save writes; the file is damaged or no PyTorch file`,
      );
    }
    const pushed = run(machine);
    if (pushed !== undefined) machine.push(pushed);
  }
  return machine.result();
}

/** What an operation pushes, or undefined. */
type Operation = (on: Machine) => PickleValue | undefined;

// biome-ignore format: one operation a line
const OPERATIONS: Readonly<Record<number, Operation>> = {
  128: version, // PROTO
  149: (on) => done(on.uint64()), // FRAME
  46: (on) => done(on.stop()), // STOP
  40: (on) => done(on.mark()), // MARK
  48: (on) => done(on.pop()), // POP
  49: (on) => done(on.sinceMark()), // POP_MARK
  50: (on) => on.top(), // DUP
  78: () => null, // NONE
  136: () => true, // NEWTRUE
  137: () => false, // NEWFALSE
  74: (on) => on.int32(), // BININT
  75: (on) => on.byte(), // BININT1
  77: (on) => on.uint16(), // BININT2
  138: (on) => whole(on, on.byte()), // LONG1
  139: (on) => whole(on, on.uint32()), // LONG4
  71: (on) => on.float64(), // BINFLOAT
  88: (on) => on.text(on.uint32()), // BINUNICODE
  140: (on) => on.text(on.byte()), // SHORT_BINUNICODE
  141: (on) => on.text(on.uint64()), // BINUNICODE8
  84: (on) => on.text(on.uint32()), // BINSTRING, of Python 2
  85: (on) => on.text(on.byte()), // SHORT_BINSTRING, of Python 2
  66: (on) => on.take(on.uint32()), // BINBYTES
  67: (on) => on.take(on.byte()), // SHORT_BINBYTES
  142: (on) => on.take(on.uint64()), // BINBYTES8
  150: (on) => on.take(on.uint64()), // BYTEARRAY8
  41: () => tuple([]), // EMPTY_TUPLE
  116: (on) => tuple(on.sinceMark()), // TUPLE
  133: (on) => tuple([on.pop()]), // TUPLE1
  134: (on) => tuple([on.pop(), on.pop()].reverse()), // TUPLE2
  135: (on) => tuple([on.pop(), on.pop(), on.pop()].reverse()), // TUPLE3
  93: () => [], // EMPTY_LIST
  108: (on) => on.sinceMark(), // LIST
  97: (on) => append(on, [on.pop()]), // APPEND
  101: (on) => append(on, on.sinceMark()), // APPENDS
  143: () => [], // EMPTY_SET
  144: (on) => append(on, on.sinceMark()), // ADDITEMS
  145: (on) => tuple(on.sinceMark()), // FROZENSET
  125: () => new Map(), // EMPTY_DICT
  100: (on) => fill(new Map(), on.sinceMark(), on.refuse), // DICT
  115: (on) => set(on, [on.pop(), on.pop()].reverse()), // SETITEM
  117: (on) => set(on, on.sinceMark()), // SETITEMS
  113: (on) => done(on.keep(on.byte())), // BINPUT
  114: (on) => done(on.keep(on.uint32())), // LONG_BINPUT
  148: (on) => done(on.keep()), // MEMOIZE
  104: (on) => on.kept(on.byte()), // BINGET
  106: (on) => on.kept(on.uint32()), // LONG_BINGET
  99: (on) => on.global(on.line(), on.line()), // GLOBAL
  147: stackGlobal, // STACK_GLOBAL
  82: called, // REDUCE
  129: called, // NEWOBJ
  98: build, // BUILD
  81: (on) => on.persistent(on.pop()), // BINPERSID
};

function done(_: unknown): undefined {
  return undefined;
}

/** Protocols 2 to 5 are those of torch.save. */
function version(on: Machine): undefined {
  const protocol = on.byte();
  if (protocol < 2 || protocol > 5) throw on.refuse(`pickle protocol ${protocol}, 2 to 5 are read`);
}

function tuple(items: PickleValue[]): PickleValue {
  return Object.freeze(items);
}

function append(on: Machine, items: readonly PickleValue[]): undefined {
  const list = on.top();
  if (!isList(list) || Object.isFrozen(list)) throw on.refuse(`items are added to ${shown(list)}, a list is expected`);
  for (const item of items) (list as PickleValue[]).push(item);
}

function set(on: Machine, items: readonly PickleValue[]): undefined {
  const dict = on.top();
  if (!(dict instanceof Map)) throw on.refuse(`an item is set of ${shown(dict)}, a dict is expected`);
  fill(dict, items, on.refuse);
}

function fill(dict: Map<PickleValue, PickleValue>, items: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (items.length % 2 === 1) throw refuse('the last key of a dict has no value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i] as PickleValue;
    const plain = key === null || typeof key !== 'object' || (isList(key) && Object.isFrozen(key));
    if (!plain) throw refuse(`${shown(key)} is the key of a dict, a name or number is expected`);
    dict.set(key, items[i + 1] as PickleValue);
  }
  return dict;
}

function stackGlobal(on: Machine): PickleValue {
  const [name, module] = [on.pop(), on.pop()];
  if (typeof name === 'string' && typeof module === 'string') return on.global(module, name);
  throw on.refuse(`${shown(module)} and ${shown(name)} are no name of a class`);
}

function called(on: Machine): PickleValue {
  const args = on.pop();
  return on.call(on.pop(), args);
}

/** The attributes of a dict, such as the versions in a state dict's `_metadata`, say nothing about weights. */
function build(on: Machine): undefined {
  on.pop();
  const target = on.top();
  if (!(target instanceof Map)) throw on.refuse(`attributes are set of ${shown(target)}, a dict is expected`);
}

/** More bytes than any integer of a file of weights; decimals of huge ones take long. */
const LONGEST_INTEGER = 256;

/** An integer in two's complement, little-endian. */
function whole(on: Machine, length: number): number | bigint {
  if (length > LONGEST_INTEGER) throw on.refuse(`an integer of ${length} bytes, at most ${LONGEST_INTEGER} are read`);
  if (length === 0) return 0;
  const digits = Array.from(on.take(length), (byte) => byte.toString(16).padStart(2, '0')).reverse();
  const value = BigInt.asIntN(8 * length, BigInt(`0x${digits.join('')}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
