// What the operations of a pickle work on: bytes read in order, a stack, marks in it, and values kept for later.
import { FormatError } from '../../errors.ts';
import { globalNamed } from './globals.ts';
import { Callable, isList, type PickleValue, type Refuse, shown } from './values.ts';

/** Where a pickle lies, and who knows its storages. */
export interface Source {
  /** File and, in a zip file, entry: what errors begin with. */
  readonly place: string;
  readonly bytes: Uint8Array;
  /** Gives what a persistent id stands for. */
  readonly persistent: (id: PickleValue, refuse: Refuse) => PickleValue;
}

// Operations that `#makesObject` looks for.
const [BINPUT, LONG_BINPUT, EMPTY_TUPLE, NEWOBJ] = [0x71, 0x72, 0x29, 0x81];

/** The remedy where a file holds more than weights. */
const REMEDY = "in Python: torch.save(model.state_dict(), 'weights.pt')";

/** The state of one unpickling. Every method throws FormatError, naming the byte, where the file does not allow it. */
export class Machine {
  readonly #source: Source;
  readonly #view: DataView;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** Calls copy what they are given; all copies together may be as large as the pickle, however often it names them. */
  #allowance: number;
  #at: number;
  #operation: number;
  #stopped = false;

  constructor(source: Source, start: number) {
    const { bytes } = source;
    this.#source = source;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#allowance = 1000 + 2 * (bytes.length - start);
    this.#at = start;
    this.#operation = start;
  }

  /** Whether the pickle has said that it is complete. */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The one value that is left, and the byte that follows. */
  result(): { readonly value: PickleValue; readonly end: number } {
    const value = this.pop();
    if (this.#stack.length > 0) throw this.refuse(`${this.#stack.length} values are left over at its end`);
    return { value, end: this.#at };
  }

  /** The error for the operation under way. */
  readonly refuse: Refuse = (what) => {
    return new FormatError(`${this.#source.place}: byte ${this.#operation}: ${what}`);
  };

  /** The code of the next operation. */
  next(): number {
    this.#operation = this.#at;
    return this.byte();
  }

  take(length: number): Uint8Array {
    const left = this.#source.bytes.length - this.#at;
    if (length > left) throw this.refuse(`${length} bytes are expected and ${left} follow; the file is cut short`);
    this.#at += length;
    return this.#source.bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  uint16(): number {
    return this.#read(2, (at) => this.#view.getUint16(at, true));
  }

  uint32(): number {
    return this.#read(4, (at) => this.#view.getUint32(at, true));
  }

  int32(): number {
    return this.#read(4, (at) => this.#view.getInt32(at, true));
  }

  uint64(): number {
    return this.#read(8, (at) => Number(this.#view.getBigUint64(at, true)));
  }

  /** Big-endian, the only number that is. */
  float64(): number {
    return this.#read(8, (at) => this.#view.getFloat64(at));
  }

  text(length: number): string {
    try {
      return utf8.decode(this.take(length));
    } catch (reason) {
      if (reason instanceof FormatError) throw reason;
      throw this.refuse('a text is not UTF-8; the file is damaged');
    }
  }

  /** A text that a line end follows. */
  line(): string {
    const end = this.#source.bytes.indexOf(LINE_END, this.#at);
    if (end < 0) throw this.refuse('a line does not end; the file is cut short');
    const line = this.text(end - this.#at);
    this.#at++;
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
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.refuse('a value is expected and there is none');
    return this.#stack.at(-1) as PickleValue;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** The values above the last mark, taken off together with it. */
  sinceMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.refuse('there is no mark to go back to');
    return this.#stack.splice(mark);
  }

  /** Keeps the top of the stack under a number, the next free one unless given. */
  keep(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  kept(index: number): PickleValue {
    const found = this.#memo.get(index);
    if (found === undefined) throw this.refuse(`value ${index} is asked for again, and was never kept`);
    return found;
  }

  /** What a name of Python stands for; those that weights have no use for are refused, each with its remedy. */
  global(module: string, name: string): PickleValue {
    const found = globalNamed(module, name);
    if (found !== undefined) return found;
    const full = shown(`${module}.${name}`).slice(1, -1);
    if (module.split('.')[0] === '__torch__') {
      throw this.refuse(
        `it is TorchScript (class ${full}), a program, and no program is run; in Python: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')`,
      );
    }
    if (module.startsWith('torch.nn.') || this.#makesObject()) {
      throw this.refuse(
        `it holds a whole object of the Python class ${full}, not its weights alone, and no code is run; ${REMEDY}`,
      );
    }
    throw this.refuse(
      `it names ${full}, which weights have no use for, and nothing was run; if you trust the file, ${REMEDY}`,
    );
  }

  call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof Callable)) throw this.refuse(`${shown(callee)} is called, and is no function`);
    if (!isList(args)) throw this.refuse(`${callee.name} is called with ${shown(args)}, a tuple is expected`);
    this.#allowance -= args.reduce<number>((sum, each) => sum + extent(each), args.length);
    if (this.#allowance < 0) throw this.refuse('its values repeat each other to more than its own size');
    return callee.call(args, this.refuse);
  }

  persistent(id: PickleValue): PickleValue {
    return this.#source.persistent(id, this.refuse);
  }

  #read(length: number, read: (at: number) => number): number {
    const at = this.#at;
    this.take(length);
    return read(at);
  }

  /** Whether an object of the class just named is made: by what follows or, in legacy files, as a `module`. */
  #makesObject(): boolean {
    if (this.#stack.at(-1) === 'module') return true;
    const { bytes } = this.#source;
    const kept = bytes[this.#at] === BINPUT ? 2 : bytes[this.#at] === LONG_BINPUT ? 5 : 0;
    return bytes[this.#at + kept] === EMPTY_TUPLE && bytes[this.#at + kept + 1] === NEWOBJ;
  }
}

const LINE_END = 0x0a;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How much a call may copy of an argument. */
function extent(value: PickleValue): number {
  if (typeof value === 'string' || isList(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}
