// Submitted commands that the device may still reject: error scopes around them report it asynchronously.
import { DeviceError, LimitError, type MienError } from '../errors.ts';
import type { Allocator } from './allocator.ts';
import { buffersOf, firstFailureOf, obstacleOf, pass, writtenBy } from './failures.ts';
import type { Content } from './storage.ts';
import type { Command } from './stream.ts';

/** The most commands that are kept; beyond it, only the memory that they wrote is. */
const mostCommands = 1 << 14;

/** Submits whose errors are reported together. */
class Interval {
  batches: (readonly Command[])[] = [];
  count = 0;
  /** The memory that batches wrote which are no longer kept. */
  readonly written = new Set<Content>();

  add(batch: readonly Command[]): void {
    this.batches.push(batch);
    this.count += batch.length;
    if (this.count < mostCommands) return;
    for (const content of this.written) if (content.released) this.written.delete(content);
    for (const command of this.batches.flat()) {
      for (const content of contentsOf(command)) if (!content.released) this.written.add(content);
    }
    this.batches = [];
    this.count = 0;
  }

  /** Marks everything that was written here as failed, with the failure of a buffer if there is one. */
  fail(otherwise: MienError, allocator: Allocator): void {
    const commands = this.batches.flat();
    for (const command of commands) for (const buffer of buffersOf(command)) allocator.suspect(buffer);
    const failure = commands.map(firstFailureOf).find((first) => first !== null) ?? otherwise;
    for (const content of this.written) content.failure ??= failure;
    for (const command of commands) pass(command, obstacleOf(command) ?? failure);
  }

  /** Propagates failures to everything that was computed here from failed memory. */
  follow(failure: MienError): void {
    for (const content of this.written) content.failure ??= failure;
    for (const command of this.batches.flat()) pass(command, obstacleOf(command));
  }
}

export class InFlight {
  readonly #gpu: GPUDevice;
  readonly #allocator: Allocator;
  #open: Interval | null = null;
  readonly #closed: Interval[] = [];
  #verdict: Promise<void> = Promise.resolve();

  constructor(gpu: GPUDevice, allocator: Allocator) {
    this.#gpu = gpu;
    this.#allocator = allocator;
  }

  /** Adds commands that are about to be submitted, to which errors are attributed until `close`. */
  add(batch: readonly Command[]): void {
    if (!this.#open) {
      this.#gpu.pushErrorScope('out-of-memory');
      this.#gpu.pushErrorScope('validation');
      this.#open = new Interval();
    }
    this.#open.add(batch);
  }

  /** Ends the error scope of the added commands. */
  close(): void {
    const interval = this.#open;
    if (!interval) return;
    this.#open = null;
    this.#closed.push(interval);
    const errors = [this.#gpu.popErrorScope(), this.#gpu.popErrorScope()].map((scope) => scope.catch(() => null));
    const before = this.#verdict;
    this.#verdict = Promise.all(errors).then(async ([invalid, memory]) => {
      await before;
      if (invalid || memory) await this.#allocator.settle();
      this.#closed.splice(this.#closed.indexOf(interval), 1);
      const failure = memory ? outOfMemory(memory) : invalid ? rejected(invalid) : null;
      if (!failure) return;
      interval.fail(failure, this.#allocator);
      for (const later of this.#closed) later.follow(failure);
      this.#open?.follow(failure);
    });
  }

  /** Resolves when the failures of everything closed so far are recorded. */
  get verdict(): Promise<void> {
    return this.#verdict;
  }
}

function* contentsOf(command: Command): Generator<Content> {
  if ('renewed' in command) return;
  if ('compiled' in command) yield* writtenBy(command);
  else yield ('target' in command ? command.target : command.to).storage;
}

function outOfMemory({ message }: GPUError): LimitError {
  return new LimitError(
    `memory: the adapter ran out of memory in a submit (${firstLine(message)}); use a smaller batch`,
  );
}

function rejected({ message }: GPUError): DeviceError {
  return new DeviceError(
    `device: a submit was rejected (${firstLine(message)}), and its results are lost; please report this`,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
