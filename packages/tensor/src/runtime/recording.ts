// What one call of a captured function did: its commands, what it read of the host, and which memory it made.
import { CaptureError } from '../errors.ts';
import type { Grid } from './device.ts';
import type { Kernel } from './kernel.ts';
import type { Live } from './live.ts';
import type { PooledBuffer } from './pool.ts';
import type { Storage } from './storage.ts';
import { aliasOf, gradOf, type TensorBase } from './tensorBase.ts';
import type { Param, ParamValue } from './wgsl.ts';
import type { Work } from './work.ts';

/** A range of memory with the buffer that was behind it then: a storage forgets its buffer when it is released. */
export interface RecordedRange {
  readonly storage: Storage;
  readonly buffer: PooledBuffer;
  readonly byteOffset: number;
  readonly bytes: number;
}

/** One dispatch as `run` had it. */
export interface RecordedDispatch {
  readonly kernel: Kernel;
  readonly bound: readonly (RecordedRange | null)[];
  readonly params: ArrayBuffer | null;
  /** The params that are worked out anew. */
  readonly live: readonly LiveParam[];
  readonly grid: Grid;
  readonly work: Work | null;
}

/** One copy. */
export interface RecordedCopy {
  readonly from: RecordedRange;
  readonly to: RecordedRange;
  readonly bytes: number;
}

/** A live value at its place in a uniform block. */
export interface LiveParam {
  readonly param: Param;
  readonly live: Live<ParamValue>;
}

/** A value of the host that must stay as it was. */
interface Watched {
  readonly name: string;
  readonly read: () => unknown;
  readonly value: unknown;
}

/** A command of a recording. */
export type Recorded = RecordedDispatch | RecordedCopy;

export class Recording {
  readonly commands: Recorded[] = [];
  readonly lives: Set<Live<unknown>> = new Set();
  readonly watched: Watched[] = [];
  /** Memory that was taken during the call; all other is the caller's. */
  readonly made: Set<Storage> = new Set();
  /** Leaves whose gradient the call set, and whether they had one before. */
  readonly leaves: Map<TensorBase, boolean> = new Map();
  /** What the function did that a replay could not do. */
  breach: CaptureError | null = null;
  /** The recording that is compared with this one, in which nothing happens on the device; null where this is a call. */
  readonly rehearses: Recording | null;
  /** In a rehearsal, second handles on the gradients that leaves had before. */
  readonly gradients: Map<TensorBase, TensorBase | null> = new Map();
  readonly #known: readonly Live<unknown>[];
  /** Memory that was made, by the order in which commands first use it. */
  readonly #uses = new Map<Storage, number>();

  constructor(rehearses: Recording | null = null) {
    this.rehearses = rehearses;
    this.#known = rehearses ? [...rehearses.lives] : [];
  }

  /** Notes a command. Throws CaptureError for a live value that would not be worked out anew. */
  add(command: Recorded): void {
    this.commands.push(command);
    for (const range of 'kernel' in command ? command.bound : [command.from, command.to]) {
      if (range && this.made.has(range.storage) && !this.#uses.has(range.storage)) {
        this.#uses.set(range.storage, this.#uses.size);
      }
    }
    if (!('kernel' in command)) return;
    for (const { param, live } of command.live) {
      if (this.lives.has(live)) continue;
      throw new CaptureError(
        `capture: ${param.name} of ${command.kernel.name} is a live value from outside; call live() inside the captured function`,
      );
    }
  }

  /** Notes that the gradient of `leaf` is about to be set. */
  touch(leaf: TensorBase): void {
    if (this.leaves.has(leaf)) return;
    this.leaves.set(leaf, gradOf(leaf) !== null);
    if (this.rehearses) {
      const gradient = gradOf(leaf);
      this.gradients.set(leaf, gradient && aliasOf(gradient, null));
    }
  }

  /** In a rehearsal, the live value that the recorded call made at this place: it is not worked out once more. */
  nextLive(): Live<unknown> | null {
    if (!this.rehearses) return null;
    const live = this.#known[this.lives.size];
    if (!live) this.refuse('the function makes more live values than when it was recorded');
    this.lives.add(live);
    return live;
  }

  /** Names memory, so that two calls that do the same give it the same name. */
  nameOf(storage: Storage): string {
    return this.made.has(storage) ? `made ${this.#uses.get(storage) ?? 'unused'}` : `outside ${storage.order}`;
  }

  /** Notes that the function did what no replay can do. */
  note(message: string): void {
    this.breach ??= new CaptureError(`capture: ${message}`);
  }

  /** Notes it and throws. */
  refuse(message: string): never {
    this.note(message);
    throw this.breach as CaptureError;
  }

  /** Throws CaptureError where a watched value has changed. */
  expectUnchanged(): void {
    for (const { name, read, value } of this.watched) {
      const now = read();
      if (Object.is(now, value)) continue;
      const change =
        typeof value === 'object' ? 'is another object than' : `is ${String(now)} and was ${String(value)}`;
      throw new CaptureError(
        `capture: ${name} ${change} when the function was recorded; call the function itself, or capture it anew`,
      );
    }
  }

  /** What differs from an earlier call of the same function, or null: only calls that do the same can be replayed. */
  differenceFrom(before: Recording): string | null {
    for (const [i, command] of this.commands.entries()) {
      const other = before.commands[i];
      if (!other) return `${nameOf(command)} was not there in the call before`;
      const difference = this.#difference(command, other, before);
      if (difference) return difference;
    }
    if (this.lives.size !== before.lives.size) return 'it makes another number of live values';
    const missing = before.commands[this.commands.length];
    return missing ? `${nameOf(missing)} is no longer there` : null;
  }

  #difference(now: Recorded, then: Recorded, before: Recording): string | null {
    if (!('kernel' in now) || !('kernel' in then)) {
      if ('kernel' in now || 'kernel' in then) return `${nameOf(now)} stands where ${nameOf(then)} was`;
      const same = this.#sameMemory(now.from, then.from, before) && this.#sameMemory(now.to, then.to, before);
      return same && now.bytes === then.bytes ? null : 'a copy is between other tensors';
    }
    const { kernel } = now;
    if (kernel !== then.kernel) return `${kernel.label} stands where ${then.kernel.label} was`;
    for (const [i, range] of now.bound.entries()) {
      if (this.#sameMemory(range, then.bound[i] ?? null, before)) continue;
      return `${kernel.bindings[i]?.name} of ${kernel.label} is another tensor, or of another size: give tensors that change as arguments`;
    }
    const param = differingParam(now, then);
    if (param) return `${param} of ${kernel.label} has another value: give numbers that change by live()`;
    return now.grid.join() === then.grid.join() ? null : `${kernel.label} has another number of groups`;
  }

  /** Whether two bindings are the same memory of the caller, or memory made in each call. */
  #sameMemory(now: RecordedRange | null, then: RecordedRange | null, before: Recording): boolean {
    if (!now || !then) return now === then;
    const same = this.nameOf(now.storage) === before.nameOf(then.storage);
    return same && now.byteOffset === then.byteOffset && now.bytes === then.bytes;
  }
}

function nameOf(command: Recorded): string {
  return 'kernel' in command ? command.kernel.label : 'a copy';
}

/** The name of a param that differs without being live. */
function differingParam({ kernel, params, live }: RecordedDispatch, then: RecordedDispatch): string | null {
  if (!kernel.params || !params || !then.params) return null;
  const [a, b] = [new Uint32Array(params), new Uint32Array(then.params)];
  for (const param of kernel.params.params) {
    const isLive = live.some((each) => each.param === param);
    if (isLive !== then.live.some((each) => each.param === param)) return param.name;
    const first = param.byteOffset / 4;
    for (let i = first; !isLive && i < first + param.count; i++) if (a[i] !== b[i]) return param.name;
  }
  return null;
}
