// Commands that were submitted and that the device may still refuse: error scopes around them tell, a turn later.
import { DeviceError, LimitError, type MienError } from '../errors.ts';
import type { Allocator } from './allocator.ts';
import { buffersOf, firstFailureOf, obstacleOf, pass, writtenBy } from './failures.ts';
import type { Content } from './storage.ts';
import type { Command } from './stream.ts';

/** Commands that are kept before only what they wrote is. */
const mostCommands = 1 << 14;

/** Submits whose errors are told together. */
class Interval {
  batches: (readonly Command[])[] = [];
  count = 0;
  /** What batches wrote that are no longer kept. */
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

  /** Everything that was written here has failed, for want of the buffers that failed if there are any. */
  fail(otherwise: MienError, allocator: Allocator): void {
    const commands = this.batches.flat();
    for (const command of commands) for (const buffer of buffersOf(command)) allocator.suspect(buffer);
    const failure = commands.map(firstFailureOf).find((first) => first !== null) ?? otherwise;
    for (const content of this.written) content.failure ??= failure;
    for (const command of commands) pass(command, obstacleOf(command) ?? failure);
  }

  /** What was computed here from what has failed, has failed too. */
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

  /** Notes commands that are about to be submitted; errors from now on are theirs. */
  add(batch: readonly Command[]): void {
    if (!this.#open) {
      this.#gpu.pushErrorScope('out-of-memory');
      this.#gpu.pushErrorScope('validation');
      this.#open = new Interval();
    }
    this.#open.add(batch);
  }

  /** Ends the errors of what was added. */
  close(): void {
    const interval = this.#open;
    if (!interval) return;
    this.#open = null;
    this.#closed.push(interval);
    const found = [this.#gpu.popErrorScope(), this.#gpu.popErrorScope()].map((scope) => scope.catch(() => null));
    const before = this.#verdict;
    this.#verdict = Promise.all(found).then(async ([invalid, memory]) => {
      await before;
      if (invalid || memory) await this.#allocator.settle();
      this.#closed.splice(this.#closed.indexOf(interval), 1);
      const failure = memory ? outOfMemory(memory) : invalid ? refused(invalid) : null;
      if (!failure) return;
      interval.fail(failure, this.#allocator);
      for (const later of this.#closed) later.follow(failure);
      this.#open?.follow(failure);
    });
  }

  /** Resolves when all that was closed so far has ended well, or has its failures noted. */
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

function refused({ message }: GPUError): DeviceError {
  return new DeviceError(
    `device: a submit was refused (${firstLine(message)}), and what it was to compute is lost; please report this`,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
