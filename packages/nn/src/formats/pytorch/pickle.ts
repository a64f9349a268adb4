// A restricted unpickler: the operations of Python's pickle protocol that torch.save writes. No code in the file is run: names
// must be among those that globals.ts defines.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
import { Machine, type Source } from './machine.ts';
import { isList, type PickleValue, type Refuse, shown } from './values.ts';

/** A value and the offset after its pickle. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads the pickle at byte `start`, in time and memory proportional to its size. Throws FormatError, naming the byte, for
 * truncated files, operations that torch.save never writes, and names that weights do not need.
 */
export function unpickle(source: Source, start = 0): Unpickled {
  const machine = new Machine(source, start);
  while (!machine.stopped) {
    const opcode = machine.next();
    const operation = OPERATIONS[opcode];
    if (!operation) {
      const name = `0x${opcode.toString(16).padStart(2, '0')}`;
      throw machine.refuse(
        `operation ${name} is not one that torch.save writes; the file is damaged or not from PyTorch`,
      );
    }
    const pushed = operation(machine);
    if (pushed !== undefined) machine.push(pushed);
  }
  return machine.result();
}

/** Returns the value to push, or undefined for none. */
type Operation = (machine: Machine) => PickleValue | undefined;

// biome-ignore format: one operation a line
const OPERATIONS: Readonly<Record<number, Operation>> = {
  128: version, // PROTO
  149: (machine) => done(machine.uint64()), // FRAME
  46: (machine) => done(machine.stop()), // STOP
  40: (machine) => done(machine.mark()), // MARK
  48: (machine) => done(machine.pop()), // POP
  49: (machine) => done(machine.popMark()), // POP_MARK
  50: (machine) => machine.top(), // DUP
  78: () => null, // NONE
  136: () => true, // NEWTRUE
  137: () => false, // NEWFALSE
  74: (machine) => machine.int32(), // BININT
  75: (machine) => machine.byte(), // BININT1
  77: (machine) => machine.uint16(), // BININT2
  138: (machine) => integer(machine, machine.byte()), // LONG1
  139: (machine) => integer(machine, machine.uint32()), // LONG4
  71: (machine) => machine.float64(), // BINFLOAT
  88: (machine) => machine.text(machine.uint32()), // BINUNICODE
  140: (machine) => machine.text(machine.byte()), // SHORT_BINUNICODE
  141: (machine) => machine.text(machine.uint64()), // BINUNICODE8
  84: (machine) => machine.text(machine.uint32()), // BINSTRING, of Python 2
  85: (machine) => machine.text(machine.byte()), // SHORT_BINSTRING, of Python 2
  66: (machine) => machine.take(machine.uint32()), // BINBYTES
  67: (machine) => machine.take(machine.byte()), // SHORT_BINBYTES
  142: (machine) => machine.take(machine.uint64()), // BINBYTES8
  150: (machine) => machine.take(machine.uint64()), // BYTEARRAY8
  41: () => tuple([]), // EMPTY_TUPLE
  116: (machine) => tuple(machine.popMark()), // TUPLE
  133: (machine) => tuple([machine.pop()]), // TUPLE1
  134: (machine) => tuple([machine.pop(), machine.pop()].reverse()), // TUPLE2
  135: (machine) => tuple([machine.pop(), machine.pop(), machine.pop()].reverse()), // TUPLE3
  93: () => [], // EMPTY_LIST
  108: (machine) => machine.popMark(), // LIST
  97: (machine) => append(machine, [machine.pop()]), // APPEND
  101: (machine) => append(machine, machine.popMark()), // APPENDS
  143: () => [], // EMPTY_SET
  144: (machine) => append(machine, machine.popMark()), // ADDITEMS
  145: (machine) => tuple(machine.popMark()), // FROZENSET
  125: () => new Map(), // EMPTY_DICT
  100: (machine) => fill(new Map(), machine.popMark(), machine.refuse), // DICT
  115: (machine) => set(machine, [machine.pop(), machine.pop()].reverse()), // SETITEM
  117: (machine) => set(machine, machine.popMark()), // SETITEMS
  113: (machine) => done(machine.memoize(machine.byte())), // BINPUT
  114: (machine) => done(machine.memoize(machine.uint32())), // LONG_BINPUT
  148: (machine) => done(machine.memoize()), // MEMOIZE
  104: (machine) => machine.memoized(machine.byte()), // BINGET
  106: (machine) => machine.memoized(machine.uint32()), // LONG_BINGET
  99: (machine) => machine.global(machine.line(), machine.line()), // GLOBAL
  147: stackGlobal, // STACK_GLOBAL
  82: called, // REDUCE
  129: called, // NEWOBJ
  98: build, // BUILD
  81: (machine) => machine.persistent(machine.pop()), // BINPERSID
};

function done(_: unknown): undefined {
  return undefined;
}

/** torch.save writes protocols 2 to 5. */
function version(machine: Machine): undefined {
  const protocol = machine.byte();
  if (protocol < 2 || protocol > 5) throw machine.refuse(`expected pickle protocol 2 to 5, got ${protocol}`);
}

function tuple(items: PickleValue[]): PickleValue {
  return Object.freeze(items);
}

function append(machine: Machine, items: readonly PickleValue[]): undefined {
  const list = machine.top();
  if (!isList(list) || Object.isFrozen(list)) throw machine.refuse(`expected a list to append to, got ${shown(list)}`);
  for (const item of items) (list as PickleValue[]).push(item);
}

function set(machine: Machine, items: readonly PickleValue[]): undefined {
  const dict = machine.top();
  if (!(dict instanceof Map)) throw machine.refuse(`expected a dict to set items of, got ${shown(dict)}`);
  fill(dict, items, machine.refuse);
}

function fill(dict: Map<PickleValue, PickleValue>, items: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (items.length % 2 === 1) throw refuse('the last key of a dict has no value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i] as PickleValue;
    const plain = key === null || typeof key !== 'object' || (isList(key) && Object.isFrozen(key));
    if (!plain) throw refuse(`expected a string or number as key of a dict, got ${shown(key)}`);
    dict.set(key, items[i + 1] as PickleValue);
  }
  return dict;
}

function stackGlobal(machine: Machine): PickleValue {
  const [name, module] = [machine.pop(), machine.pop()];
  if (typeof name === 'string' && typeof module === 'string') return machine.global(module, name);
  throw machine.refuse(`expected the name of a class, got ${shown(module)} and ${shown(name)}`);
}

function called(machine: Machine): PickleValue {
  const args = machine.pop();
  return machine.call(machine.pop(), args);
}

/** Ignores the attributes of a dict, such as a state dict's `_metadata`. */
function build(machine: Machine): undefined {
  machine.pop();
  const target = machine.top();
  if (!(target instanceof Map)) throw machine.refuse(`expected a dict to set attributes of, got ${shown(target)}`);
}

/** More than any integer in a file of weights: the decimals of huge integers take long to print. */
const MAX_INTEGER_BYTES = 256;

/** An integer in two's complement, little-endian. */
function integer(machine: Machine, length: number): number | bigint {
  if (length > MAX_INTEGER_BYTES)
    throw machine.refuse(`expected an integer of at most ${MAX_INTEGER_BYTES} bytes, got ${length}`);
  if (length === 0) return 0;
  const digits = Array.from(machine.take(length), (byte) => byte.toString(16).padStart(2, '0')).reverse();
  const value = BigInt.asIntN(8 * length, BigInt(`0x${digits.join('')}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
