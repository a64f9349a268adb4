// The state of an unpickler: bytes read in order, a stack with marks, and memoized values.
import { FormatError } from '../../errors.ts';
import { globalNamed } from './globals.ts';
import { Callable, isList, type PickleValue, type Refuse, shown } from './values.ts';

/** A pickle and its storages. */
export interface Source {
  /** File and, in a zip file, entry: the prefix of errors. */
  readonly place: string;
  readonly bytes: Uint8Array;
  /** The value of a persistent id. */
  readonly persistent: (id: PickleValue, refuse: Refuse) => PickleValue;
}

// Opcodes that `#createsObject` looks for.
const [BINPUT, LONG_BINPUT, EMPTY_TUPLE, NEWOBJ] = [0x71, 0x72, 0x29, 0x81];

/** The remedy for a file that holds more than weights. */
const REMEDY = "in Python: torch.save(model.state_dict(), 'weights.pt')";

/** The state of one unpickling. Every method throws FormatError, naming the byte, for an invalid file. */
export class Machine {
  readonly #source: Source;
  readonly #view: DataView;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** What calls may still copy of their arguments: in all, about the size of the pickle. */
  #allowance: number;
  #offset: number;
  /** Where the current operation starts. */
  #operation: number;
  #stopped = false;

  constructor(source: Source, start: number) {
    const { bytes } = source;
    this.#source = source;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#allowance = 1000 + 2 * (bytes.length - start);
    this.#offset = start;
    this.#operation = start;
  }

  /** Whether the STOP operation was read. */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The value on the stack, and the offset after the pickle. */
  result(): { readonly value: PickleValue; readonly end: number } {
    const value = this.pop();
    if (this.#stack.length > 0) throw this.refuse(`expected one value at its end, got ${this.#stack.length + 1}`);
    return { value, end: this.#offset };
  }

  /** The error for the current operation. */
  readonly refuse: Refuse = (problem) => {
    return new FormatError(`${this.#source.place}: byte ${this.#operation}: ${problem}`);
  };

  /** The next opcode. */
  next(): number {
    this.#operation = this.#offset;
    return this.byte();
  }

  take(length: number): Uint8Array {
    const left = this.#source.bytes.length - this.#offset;
    if (length > left) throw this.refuse(`expected ${length} bytes, got ${left}; the file is truncated`);
    this.#offset += length;
    return this.#source.bytes.subarray(this.#offset - length, this.#offset);
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  uint16(): number {
    return this.#read(2, (offset) => this.#view.getUint16(offset, true));
  }

  uint32(): number {
    return this.#read(4, (offset) => this.#view.getUint32(offset, true));
  }

  int32(): number {
    return this.#read(4, (offset) => this.#view.getInt32(offset, true));
  }

  uint64(): number {
    return this.#read(8, (offset) => Number(this.#view.getBigUint64(offset, true)));
  }

  /** Big-endian, unlike all other numbers. */
  float64(): number {
    return this.#read(8, (offset) => this.#view.getFloat64(offset));
  }

  text(length: number): string {
    try {
      return utf8.decode(this.take(length));
    } catch (reason) {
      if (reason instanceof FormatError) throw reason;
      throw this.refuse('a string is not UTF-8; the file is damaged');
    }
  }

  /** A string up to a line feed. */
  line(): string {
    const end = this.#source.bytes.indexOf(LINE_END, this.#offset);
    if (end < 0) throw this.refuse('a line does not end; the file is truncated');
    const line = this.text(end - this.#offset);
    this.#offset++;
    return line;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.refuse('expected a value on the stack, got none');
    return this.#stack.at(-1) as PickleValue;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Pops the values above the last mark, and the mark. */
  popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.refuse('expected a mark on the stack, got none');
    return this.#stack.splice(mark);
  }

  /** Memoizes the top of the stack, by default at the next free index. */
  memoize(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  memoized(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.refuse(`memo ${index} is read, but was never written`);
    return value;
  }

  /** The value of a Python name. Names that weights do not need are refused, with a remedy. */
  global(module: string, name: string): PickleValue {
    const value = globalNamed(module, name);
    if (value !== undefined) return value;
    const full = shown(`${module}.${name}`).slice(1, -1);
    if (module.split('.')[0] === '__torch__') {
      throw this.refuse(
        `it is TorchScript (class ${full}), and no code in files is run; in Python: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')`,
      );
    }
    if (module.startsWith('torch.nn.') || this.#createsObject()) {
      throw this.refuse(
        `it holds an object of the Python class ${full} instead of weights, and no code in files is run; ${REMEDY}`,
      );
    }
    throw this.refuse(
      `it names ${full}, which weights do not need, and no code in files is run; if you trust the file, ${REMEDY}`,
    );
  }

  call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof Callable)) throw this.refuse(`expected a function to call, got ${shown(callee)}`);
    if (!isList(args)) throw this.refuse(`${callee.name}: expected a tuple of arguments, got ${shown(args)}`);
    this.#allowance -= args.reduce<number>((sum, each) => sum + sizeOf(each), args.length);
    if (this.#allowance < 0) throw this.refuse('its values repeat each other to more than the size of the file');
    return callee.call(args, this.refuse);
  }

  persistent(id: PickleValue): PickleValue {
    return this.#source.persistent(id, this.refuse);
  }

  #read(length: number, read: (offset: number) => number): number {
    const offset = this.#offset;
    this.take(length);
    return read(offset);
  }

  /** Whether an object of the last class is created: by the next operations or, in legacy files, as a `module`. */
  #createsObject(): boolean {
    if (this.#stack.at(-1) === 'module') return true;
    const { bytes } = this.#source;
    const memoBytes = bytes[this.#offset] === BINPUT ? 2 : bytes[this.#offset] === LONG_BINPUT ? 5 : 0;
    return bytes[this.#offset + memoBytes] === EMPTY_TUPLE && bytes[this.#offset + memoBytes + 1] === NEWOBJ;
  }
}

const LINE_END = 0x0a;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The most that a call copies of an argument. */
function sizeOf(value: PickleValue): number {
  if (typeof value === 'string' || isList(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}
