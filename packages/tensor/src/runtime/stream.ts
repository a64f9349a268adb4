// The stream of pending commands: operations append to it, and a host read or a budget encodes and submits all of them together. A
// batch whose pipelines still compile, or whose buffers are not yet known to exist, keeps growing.
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

/** A kernel dispatch, a copy between buffers, a write by the host, or the start of a replay. */
export type Command = Dispatch | Copy | Write | Renewal;

export interface Dispatch {
  readonly compiled: Compiled;
  readonly bound: readonly (ContentRange | null)[];
  readonly params: ArrayBuffer | null;
  /** The params of a replayed dispatch, and its offset in them. */
  readonly arena: ContentRange | null;
  readonly offset: readonly [number] | null;
  readonly grid: readonly [number, number, number];
  readonly work: Work | null;
  /** Bytes of all bindings. */
  readonly boundBytes: number;
  /** Made when the command is first encoded, because all its buffers exist by then. */
  group: GPUBindGroup | null;
  /** The bind groups of a replay by key; null for the device's cache. */
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
  /** Null after it was written. */
  readonly data: Uint8Array<ArrayBuffer> | null;
}

/** Clears the failures of the memory that a replay works in: it writes this memory before it reads it. */
export interface Renewal {
  readonly renewed: readonly Content[];
}

/** What a Stream needs of its device. */
export interface StreamHooks {
  readonly groupOf: (command: Dispatch) => GPUBindGroup;
}

/** Commands after which a batch is submitted: few after a host read, so that the device begins early. */
const firstBudget = 64;
/** The growth of each further batch until the next host read: a training step has few submits, however long it is. */
const growth = 4;
const lastBudget = 1024;
/** Bytes that the host may write between two submits: each write is staged until the device has finished the next submit. */
const hostBudget = 64 << 20;
/** Bytes of parameters per submit: as many dispatches as the last budget, at the widest alignment. */
const arenaBytes = lastBudget * 256;

export class Stream {
  readonly #gpu: GPUDevice;
  readonly alignment: number;
  readonly #arenaData = new Uint8Array(arenaBytes);
  /** The parameters of dispatches, at dynamic offsets that are multiples of `alignment`. */
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
  /** Times every submit, if set. */
  stopwatch: Stopwatch | null = null;
  /** The number of command buffers submitted. */
  submits = 0;
  /** The number of the next submit. */
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

  /** Appends a command that uses `buffers`; submits the batch if it has reached its budget and is ready. */
  append(command: Command, buffers: readonly PooledBuffer[]): void {
    this.#commands.push(command);
    for (const buffer of buffers) buffer.lastSubmit = this.pending;
    this.#sinceAttempt++;
    this.#attempt();
  }

  /** Counts bytes that the host wrote; submits them at the budget, so that Dawn frees its staging memory. */
  wrote(bytes: number): void {
    this.#hostBytes += bytes;
    if (this.#hostBytes < hostBudget || this.#timer?.stamps === false) return;
    this.#hostBytes = 0;
    if (!this.#commands.every(isReady)) return;
    // Buffers may still fail: then everything that this submit writes has failed.
    if (this.#commands.length > 0) this.submit();
    else this.#gpu.queue.submit([]);
    this.#inFlight.close();
    // Dawn frees it while something is awaited. Reads report a lost device.
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
    // Commands that are appended meanwhile may need more.
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

  /** Resolves when the failures of everything submitted before the last `settle` are recorded. */
  get verdict(): Promise<void> {
    return this.#inFlight.verdict;
  }

  /** Whether commands are timed. */
  get isTimed(): boolean {
    return this.#timer !== null;
  }

  /** Has `timer` time every command; null ends it. */
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

  /** Submits pending commands. Those that cannot run are left out, and what they would have written has failed. */
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

  /** Runs `then`, which destroys something, as soon as no pending command uses it. */
  afterwards(then: () => void): void {
    if (this.#commands.length === 0) then();
    else this.#afterwards.push(then);
  }

  /** Submits as many commands as the arena has room for parameters. Returns the index of the first one left. */
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
      // The host writes before the submit: encoded commands may read what this overwrites.
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
      if (!compiled.ready) throw new KernelError(`${compiled.kernel.label}: was submitted before it was compiled`);
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
