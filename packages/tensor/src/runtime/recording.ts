// Records one call of a captured function: its commands, the host values that it read, and the memory that it allocated.
import { CaptureError } from '../errors.ts';
import type { Grid } from './device.ts';
import type { Kernel } from './kernel.ts';
import type { Live } from './live.ts';
import type { PooledBuffer } from './pool.ts';
import type { Storage } from './storage.ts';
import { aliasOf, gradOf, type TensorBase } from './tensorBase.ts';
import type { Param, ParamValue } from './wgsl.ts';
import type { Work } from './work.ts';

/** A range of memory with its buffer at that time: a storage has none after it is released. */
export interface RecordedRange {
  readonly storage: Storage;
  readonly buffer: PooledBuffer;
  readonly byteOffset: number;
  readonly bytes: number;
}

/** One dispatch, as passed to `run`. */
export interface RecordedDispatch {
  readonly kernel: Kernel;
  readonly bound: readonly (RecordedRange | null)[];
  readonly params: ArrayBuffer | null;
  /** The params that each replay computes again. */
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

/** A live value and the member of the uniform block that it fills. */
export interface LiveParam {
  readonly param: Param;
  readonly live: Live<ParamValue>;
}

/** A host value that must not change. */
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
  /** Memory that the call allocated; all other memory is the caller's. */
  readonly made: Set<Storage> = new Set();
  /** Leaves whose gradient the call set, and whether they had one at the start. */
  readonly leaves: Map<TensorBase, boolean> = new Map();
  /** The first thing that the function did and a replay cannot do. */
  refusal: CaptureError | null = null;
  /** The recording that this rehearsal, which runs nothing on the device, is compared with; null for a call. */
  readonly rehearses: Recording | null;
  /** In a rehearsal, aliases of the gradients that leaves had at the start. */
  readonly gradients: Map<TensorBase, TensorBase | null> = new Map();
  readonly #known: readonly Live<unknown>[];
  readonly #required = new Set<TensorBase>();
  /** Memory that the call allocated, with the order in which commands first use it. */
  readonly #uses = new Map<Storage, number>();

  constructor(rehearses: Recording | null = null) {
    this.rehearses = rehearses;
    this.#known = rehearses ? [...rehearses.lives] : [];
  }

  /** Records a command. Throws CaptureError for a live value from outside of the function. */
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

  /** Records that the gradient of `leaf` is about to be set. */
  touch(leaf: TensorBase): void {
    if (this.leaves.has(leaf)) return;
    this.leaves.set(leaf, gradOf(leaf) !== null);
    if (this.rehearses) {
      const gradient = gradOf(leaf);
      this.gradients.set(leaf, gradient && aliasOf(gradient, null));
    }
  }

  /** Records that the call asked, or is about to change, whether a tensor of the caller requires gradients. */
  noteRequiresGrad(x: TensorBase, storage: Storage, value: boolean): void {
    if (this.#required.has(x) || this.made.has(storage)) return;
    this.#required.add(x);
    const shape = `[${x.shape.join(', ')}]`;
    this.watched.push({ name: `requiresGrad of a tensor ${shape}`, read: () => x.requiresGrad, value });
  }

  /** In a rehearsal, the live value that the recorded call made at this point: it is not computed again. */
  nextLive(): Live<unknown> | null {
    if (!this.rehearses) return null;
    const live = this.#known[this.lives.size];
    if (!live) this.refuse('the function makes more live values than when it was recorded');
    this.lives.add(live);
    return live;
  }

  /** A name for memory that is equal in two calls that do the same. */
  nameOf(storage: Storage): string {
    return this.made.has(storage) ? `made ${this.#uses.get(storage) ?? 'unused'}` : `outside ${storage.order}`;
  }

  /** Records that the function did something that a replay cannot do. */
  note(message: string): void {
    this.refusal ??= new CaptureError(`capture: ${message}`);
  }

  /** Records it and throws. */
  refuse(message: string): never {
    this.note(message);
    throw this.refusal as CaptureError;
  }

  /** Throws CaptureError if a watched value has changed. */
  expectUnchanged(): void {
    for (const { name, read, value } of this.watched) {
      const now = read();
      if (Object.is(now, value)) continue;
      const change =
        typeof value === 'object' ? 'is another object than' : `is ${String(now)} and was ${String(value)}`;
      throw new CaptureError(
        `capture: ${name} ${change} when the function was recorded; call the function itself, or capture it again`,
      );
    }
  }

  /** The first difference from an earlier call of the same function, or null: only equal calls can be replayed. */
  differenceFrom(before: Recording): string | null {
    for (const [i, command] of this.commands.entries()) {
      const other = before.commands[i];
      if (!other) return `the call before had no ${nameOf(command)}`;
      const difference = this.#difference(command, other, before);
      if (difference) return difference;
    }
    if (this.lives.size !== before.lives.size) return 'it makes a different number of live values';
    const missing = before.commands[this.commands.length];
    return missing ? `it has no ${nameOf(missing)} any more` : null;
  }

  #difference(now: Recorded, then: Recorded, before: Recording): string | null {
    if (!('kernel' in now) || !('kernel' in then)) {
      if ('kernel' in now || 'kernel' in then) return `${nameOf(now)} replaces ${nameOf(then)}`;
      const same = this.#sameMemory(now.from, then.from, before) && this.#sameMemory(now.to, then.to, before);
      return same && now.bytes === then.bytes ? null : 'a copy is between other tensors';
    }
    const { kernel } = now;
    if (kernel !== then.kernel) return `${kernel.label} replaces ${then.kernel.label}`;
    for (const [i, range] of now.bound.entries()) {
      if (this.#sameMemory(range, then.bound[i] ?? null, before)) continue;
      return `${kernel.bindings[i]?.name} of ${kernel.label} is a different tensor, or has a different size: pass tensors that change as arguments`;
    }
    const param = differingParam(now, then);
    if (param) return `${param} of ${kernel.label} has a different value: pass numbers that change by live()`;
    return now.grid.join() === then.grid.join() ? null : `${kernel.label} has a different number of workgroups`;
  }

  /** Whether two bindings are the same memory of the caller, or memory that each call allocated. */
  #sameMemory(now: RecordedRange | null, then: RecordedRange | null, before: Recording): boolean {
    if (!now || !then) return now === then;
    const same = this.nameOf(now.storage) === before.nameOf(then.storage);
    return same && now.byteOffset === then.byteOffset && now.bytes === then.bytes;
  }
}

function nameOf(command: Recorded): string {
  return 'kernel' in command ? command.kernel.label : 'a copy';
}

/** The name of a param that differs and is not live. */
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
