// One pending command stream: operations append at once, and everything is encoded and submitted together at a host
// read or at a budget. A batch whose pipelines still compile, or whose buffers have no verdict yet, keeps growing.
import { KernelError } from '../errors.ts';
import type { Allocator } from './allocator.ts';
import { obstacleOf, pass } from './failures.ts';
import { InFlight } from './inFlight.ts';
import type { Compiled } from './pipelines.ts';
import type { PooledBuffer } from './pool.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Content, ContentRange } from './storage.ts';
import type { TimedSubmit, Timer } from './timer.ts';
import type { Work } from './work.ts';

/** One kernel dispatch, one copy between buffers, host data that is written before them, or contents that begin again. */
export type Command = Dispatch | Copy | Write | Renewal;

export interface Dispatch {
  readonly compiled: Compiled;
  readonly bound: readonly (ContentRange | null)[];
  readonly params: ArrayBuffer | null;
  /** Where a replay has its params, and at which offset. */
  readonly arena: ContentRange | null;
  readonly offset: readonly [number] | null;
  readonly grid: readonly [number, number, number];
  readonly work: Work | null;
  /** Bytes of all bindings. */
  readonly boundBytes: number;
  /** Made when the command is first encoded, as then all its buffers exist. */
  group: GPUBindGroup | null;
  /** The bind groups of a replay by their keys; null where the device's cache has them. */
  readonly groups: Map<string, GPUBindGroup> | null;
}

export interface Copy {
  readonly from: ContentRange;
  readonly to: ContentRange;
  readonly bytes: number;
}

export interface Write {
  readonly target: ContentRange;
  readonly bytes: number;
  /** Null once it was written. */
  readonly data: Uint8Array<ArrayBuffer> | null;
}

/** What a replay works in holds nothing of the replay before. */
export interface Renewal {
  readonly renewed: readonly Content[];
}

/** What a Stream needs of its device. */
export interface StreamHooks {
  readonly groupOf: (command: Dispatch) => GPUBindGroup;
}

/** Commands after which a batch is submitted without being asked for: few after a host read, so that the device begins early. */
const firstBudget = 64;
/** Each batch until the next host read may be so many times larger: a training step has few submits however long it is. */
const growth = 4;
const lastBudget = 1024;
/** Bytes that the host may write between two submits: each write is staged until the device has finished the submit after it. */
const hostBudget = 64 << 20;
/** Bytes of parameters per submit: as many dispatches as the last budget, at the widest alignment. */
const arenaBytes = lastBudget * 256;

export class Stream {
  readonly #gpu: GPUDevice;
  readonly alignment: number;
  readonly #arenaData = new Uint8Array(arenaBytes);
  /** The parameters of dispatches lie here, at dynamic offsets that are multiples of `alignment`. */
  readonly arena: GPUBuffer;
  readonly #allocator: Allocator;
  readonly #hooks: StreamHooks;
  readonly #inFlight: InFlight;
  #commands: Command[] = [];
  #sinceAttempt = 0;
  #budget = firstBudget;
  #hostBytes = 0;
  readonly #afterwards: (() => void)[] = [];
  #timer: Timer | null = null;
  /** Takes the device's time of every submit, where there is one. */
  stopwatch: Stopwatch | null = null;
  /** Command buffers submitted so far. */
  submits = 0;
  /** The number of the submit that pending commands will be part of. */
  pending = 1;

  constructor(gpu: GPUDevice, allocator: Allocator, hooks: StreamHooks) {
    this.#gpu = gpu;
    this.#allocator = allocator;
    this.#hooks = hooks;
    this.#inFlight = new InFlight(gpu, allocator);
    this.alignment = gpu.limits.minUniformBufferOffsetAlignment;
    this.arena = gpu.createBuffer({
      label: 'parameters',
      size: arenaBytes,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Appends a command that uses `buffers`; submits the batch when it reached its budget and all that it needs is ready. */
  append(command: Command, buffers: readonly PooledBuffer[]): void {
    this.#commands.push(command);
    for (const buffer of buffers) buffer.lastSubmit = this.pending;
    this.#sinceAttempt++;
    this.#attempt();
  }

  /** Counts bytes that the host wrote: at the budget they are submitted, so that Dawn frees what it staged. */
  wrote(bytes: number): void {
    this.#hostBytes += bytes;
    if (this.#hostBytes < hostBudget || this.#timer?.stamps === false) return;
    this.#hostBytes = 0;
    if (!this.#commands.every(isReady)) return;
    // Buffers may have no verdict yet: if one fails, all that this submit writes fails with it.
    if (this.#commands.length > 0) this.submit();
    else this.#gpu.queue.submit([]);
    this.#inFlight.close();
    // Dawn frees it in its turns, which it takes while something is awaited. A lost device is reported by reads.
    this.#gpu.queue.onSubmittedWorkDone().catch(() => {});
  }

  #attempt(): void {
    if (this.#sinceAttempt < this.#budget || this.#timer?.stamps === false) return;
    this.#sinceAttempt = 0;
    if (this.#allocator.undecided || !this.#commands.every(isReady)) return;
    this.submit();
    this.#budget = Math.min(growth * this.#budget, lastBudget);
  }

  /** Appends commands that use `buffers`, as `append` does. */
  appendAll(commands: readonly Command[], buffers: readonly PooledBuffer[]): void {
    for (const command of commands) this.#commands.push(command);
    for (const buffer of buffers) buffer.lastSubmit = this.pending;
    this.#sinceAttempt += commands.length;
    this.#attempt();
  }

  /** Writes `data` to a buffer that no pending command uses. */
  write(target: ContentRange & { readonly buffer: PooledBuffer }, data: Uint8Array<ArrayBuffer>): void {
    const bytes = data.byteLength;
    if (this.#allocator.isUndecided(target.buffer)) {
      this.append({ target, bytes, data: data.slice() }, [target.buffer]);
      return;
    }
    this.#inFlight.add([{ target, bytes, data: null }]);
    this.#gpu.queue.writeBuffer(target.buffer.gpu, target.byteOffset, data);
  }

  /** Waits for the pipelines and buffers of pending commands, then submits them. */
  async settle(): Promise<void> {
    // What others append meanwhile may need more.
    for (;;) {
      const waiting = new Set<Promise<void>>();
      for (const command of this.#commands) if (!isReady(command)) waiting.add((command as Dispatch).compiled.settled);
      if (waiting.size > 0) await Promise.all(waiting);
      else if (this.#allocator.undecided) await this.#allocator.settle();
      else if (this.#timer?.stamps === false && this.#commands.length > 0) await this.#submitEach(this.#timer);
      else break;
    }
    this.submit();
    this.#inFlight.close();
    this.#budget = firstBudget;
  }

  /** Resolves when what was submitted before the last `settle` has ended well, or has its failures noted. */
  get verdict(): Promise<void> {
    return this.#inFlight.verdict;
  }

  /** Whether the time of every command is taken. */
  get timed(): boolean {
    return this.#timer !== null;
  }

  /** From now on `timer` takes the time of every command; null ends that. */
  time(timer: Timer | null): void {
    this.#timer = timer;
  }

  /** Submits pending commands one by one, waiting for each. */
  async #submitEach(timer: Timer): Promise<void> {
    const commands = this.#commands;
    this.#commands = [];
    this.#sinceAttempt = 0;
    for (const command of commands) {
      this.#inFlight.add([command]);
      if ('target' in command || 'renewed' in command) this.#submitFrom([command], 0);
      else await timer.alone(command, () => this.#submitFrom([command], 0));
    }
    if (commands.length > 0) this.pending++;
    for (const then of this.#afterwards.splice(0)) then();
  }

  /** Submits what is pending. Commands that cannot run are left out, and what they would have written has failed. */
  submit(): void {
    const commands = this.#commands;
    this.#commands = [];
    this.#sinceAttempt = 0;
    this.#hostBytes = 0;
    if (commands.length === 0) return;
    this.#inFlight.add(commands);
    let first = 0;
    while (first < commands.length) first = this.#submitFrom(commands, first);
    this.pending++;
    for (const then of this.#afterwards.splice(0)) then();
  }

  /** Runs `then` as soon as nothing pending uses what it destroys. */
  afterwards(then: () => void): void {
    if (this.#commands.length === 0) then();
    else this.#afterwards.push(then);
  }

  /** Submits as many commands as the arena holds parameters for. Returns the index of the first that is left. */
  #submitFrom(commands: readonly Command[], first: number): number {
    const encoder = this.#gpu.createCommandEncoder();
    this.stopwatch?.begin(encoder);
    const timed: TimedSubmit | null = this.#timer?.stamps ? this.#timer.submit() : null;
    let encoding: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    let used = 0;
    let replayed = false;
    let at = first;
    for (; at < commands.length; at++) {
      const command = commands[at] as Command;
      if (timed?.full) break;
      // The host writes before the whole submit: what was encoded may read what this overwrites.
      if ('target' in command && replayed) break;
      if ('compiled' in command && command.params && used + command.params.byteLength > arenaBytes) break;
      const failure = obstacleOf(command);
      pass(command, failure);
      if (failure || 'renewed' in command) continue;
      if ('target' in command) {
        const { target, data } = command;
        if (data) this.#gpu.queue.writeBuffer(target.buffer.gpu, target.byteOffset, data);
        continue;
      }
      if ('from' in command) {
        encoding?.end();
        encoding = null;
        const { from, to, bytes } = command;
        const copy = (): void =>
          encoder.copyBufferToBuffer(from.buffer.gpu, from.byteOffset, to.buffer.gpu, to.byteOffset, bytes);
        if (timed) timed.around(encoder, command, copy);
        else copy();
        continue;
      }
      const { compiled, params, offset, grid } = command;
      if (!compiled.ready) throw new KernelError(`${compiled.kernel.label}: is submitted before it was compiled`);
      const group = command.group ?? this.#hooks.groupOf(command);
      if (!encoding || timed) {
        encoding?.end();
        encoding = timed?.pass(encoder, command) ?? encoder.beginComputePass();
        pipeline = null;
      }
      if (pipeline !== compiled.ready) {
        pipeline = compiled.ready;
        encoding.setPipeline(pipeline);
      }
      if (params) {
        this.#arenaData.set(new Uint8Array(params), used);
        encoding.setBindGroup(0, group, [used]);
        used = Math.ceil((used + params.byteLength) / this.alignment) * this.alignment;
      } else if (offset) {
        replayed = true;
        encoding.setBindGroup(0, group, offset);
      } else {
        encoding.setBindGroup(0, group);
      }
      encoding.dispatchWorkgroups(...grid);
    }
    encoding?.end();
    timed?.resolve(encoder);
    this.stopwatch?.end(encoder);
    if (used > 0) this.#gpu.queue.writeBuffer(this.arena, 0, this.#arenaData, 0, Math.min(used, arenaBytes));
    this.#gpu.queue.submit([encoder.finish()]);
    this.submits++;
    return at;
  }
}

function isReady(command: Command): boolean {
  return !('compiled' in command) || command.compiled.ready !== null || command.compiled.error !== null;
}
