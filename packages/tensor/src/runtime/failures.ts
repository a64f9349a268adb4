// Propagates failures: a command that uses failed memory is left out, and what it would have written has failed too.
import type { MienError } from '../errors.ts';
import type { DeviceBuffer } from './allocator.ts';
import type { Content } from './storage.ts';
import type { Command, Dispatch } from './stream.ts';

/** Why `command` cannot run, or null. */
export function obstacleOf(command: Command): MienError | null {
  if ('renewed' in command) return null;
  if ('target' in command) return command.target.buffer.failure;
  if ('from' in command) {
    const { from, to } = command;
    return from.buffer.failure ?? from.storage.failure ?? to.buffer.failure;
  }
  const { compiled, bound, arena } = command;
  for (const range of bound) {
    const failure = range && (range.buffer.failure ?? range.storage.failure);
    if (failure) return failure;
  }
  return compiled.error ?? arena?.buffer.failure ?? arena?.storage.failure ?? null;
}

/** The first failure of a buffer of `command`, or null. */
export function firstFailureOf(command: Command): MienError | null {
  for (const { firstFailure } of buffersOf(command)) if (firstFailure) return firstFailure;
  return null;
}

/** The buffers that a command uses. */
export function* buffersOf(command: Command): Generator<DeviceBuffer> {
  if ('renewed' in command) return;
  const ranges =
    'target' in command ? [command.target] : 'from' in command ? [command.from, command.to] : command.bound;
  for (const range of ranges) if (range) yield range.buffer;
}

/** Records the result of `command` in the memory that it writes: after a failure it did not run, and the failure propagates. */
export function pass(command: Command, failure: MienError | null): void {
  if ('renewed' in command) {
    for (const content of command.renewed) content.failure = null;
  } else if ('compiled' in command) {
    if (failure) for (const content of writtenBy(command)) content.failure ??= failure;
  } else {
    const { storage, byteOffset } = 'target' in command ? command.target : command.to;
    if (failure) storage.failure ??= failure;
    else if (storage.failure && byteOffset === 0 && command.bytes >= storage.bytes) storage.failure = null;
  }
}

/** The memory that a dispatch writes. */
export function* writtenBy({ compiled, bound }: Dispatch): Generator<Content> {
  for (const [i, range] of bound.entries()) {
    if (range && compiled.kernel.bindings[i]?.access !== 'read') yield range.storage;
  }
}
