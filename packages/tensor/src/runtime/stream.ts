// One pending command stream: operations append at once, and everything is encoded and submitted together at a host
// read or at a budget. A batch whose pipelines are still compiling simply goes on growing.

import type { Compiled } from './pipelines.ts';
import type { PooledBuffer } from './pool.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { TimedSubmit, Timer } from './timer.ts';
import type { Work } from './work.ts';

/** One kernel dispatch, one copy between buffers, or params of a replay that are written before it. */
export type Command = Dispatch | Copy | Write;

export interface Dispatch {
  readonly compiled: Compiled;
  readonly group: GPUBindGroup;
  readonly params: ArrayBuffer | null;
  /** Where its params lie already, in the arena that `group` binds. */
  readonly offset: readonly [number] | null;
  readonly grid: readonly [number, number, number];
  readonly work: Work | null;
  /** Bytes of all bindings. */
  readonly boundBytes: number;
}

export interface Copy {
  readonly from: GPUBuffer;
  readonly fromOffset: number;
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

export interface Write {
  readonly target: GPUBuffer;
  readonly data: Uint8Array<ArrayBuffer>;
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
  readonly #onFailure: (error: Error) => void;
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

  constructor(gpu: GPUDevice, onFailure: (error: Error) => void) {
    this.#gpu = gpu;
    this.#onFailure = onFailure;
    this.alignment = gpu.limits.minUniformBufferOffsetAlignment;
    this.arena = gpu.createBuffer({
      label: 'parameters',
      size: arenaBytes,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Appends a command that uses `buffers`; submits the batch when it reached its budget and all its pipelines are ready. */
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
    if (this.#commands.length > 0) this.submit();
    else this.#gpu.queue.submit([]);
    // Dawn frees it in its turns, which it takes while something is awaited. A lost device is reported by reads.
    this.#gpu.queue.onSubmittedWorkDone().catch(() => {});
  }

  #attempt(): void {
    if (this.#sinceAttempt < this.#budget || this.#timer?.stamps === false) return;
    this.#sinceAttempt = 0;
    if (!this.#commands.every(isReady)) return;
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

  /** Waits for the pipelines of pending commands, then submits them. */
  async settle(): Promise<void> {
    const waiting = new Set<Promise<void>>();
    for (const command of this.#commands) if (!isReady(command)) waiting.add((command as Dispatch).compiled.settled);
    if (waiting.size > 0) await Promise.all(waiting);
    if (this.#timer?.stamps === false) await this.#submitEach(this.#timer);
    this.submit();
    this.#budget = firstBudget;
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
      if ('target' in command) this.#submitFrom([command], 0);
      else await timer.alone(command, () => this.#submitFrom([command], 0));
    }
    if (commands.length > 0) this.pending++;
    for (const then of this.#afterwards.splice(0)) then();
  }

  /** Submits what is pending. Commands whose kernel does not compile are left out and reported. */
  submit(): void {
    const commands = this.#commands;
    this.#commands = [];
    this.#sinceAttempt = 0;
    this.#hostBytes = 0;
    if (commands.length === 0) return;
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
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    let used = 0;
    let replayed = false;
    let at = first;
    for (; at < commands.length; at++) {
      const command = commands[at] as Command;
      if (timed?.full) break;
      if ('target' in command) {
        // The host writes before the whole submit: what was encoded may read what this overwrites.
        if (replayed) break;
        this.#gpu.queue.writeBuffer(command.target, 0, command.data);
        continue;
      }
      if ('from' in command) {
        pass?.end();
        pass = null;
        const { from, fromOffset, to, toOffset, bytes } = command;
        const copy = (): void => encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
        if (timed) timed.around(encoder, command, copy);
        else copy();
        continue;
      }
      const { compiled, params, offset, grid } = command;
      if (!compiled.ready) {
        if (compiled.error) this.#onFailure(compiled.error);
        continue;
      }
      if (params && used + params.byteLength > arenaBytes) break;
      if (!pass || timed) {
        pass?.end();
        pass = timed?.pass(encoder, command) ?? encoder.beginComputePass();
        pipeline = null;
      }
      if (pipeline !== compiled.ready) {
        pipeline = compiled.ready;
        pass.setPipeline(pipeline);
      }
      if (params) {
        this.#arenaData.set(new Uint8Array(params), used);
        pass.setBindGroup(0, command.group, [used]);
        used = Math.ceil((used + params.byteLength) / this.alignment) * this.alignment;
      } else if (offset) {
        replayed = true;
        pass.setBindGroup(0, command.group, offset);
      } else {
        pass.setBindGroup(0, command.group);
      }
      pass.dispatchWorkgroups(...grid);
    }
    pass?.end();
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
