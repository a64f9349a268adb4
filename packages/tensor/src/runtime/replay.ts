// Repeats a recorded call: its bind groups and params are kept, and its temporaries have reserved memory.
import { CaptureError } from '../errors.ts';
import type { DeviceRuntime } from './device.ts';
import { planBuffers, type Use } from './plan.ts';
import type { PooledBuffer } from './pool.ts';
import type { Recorded, RecordedDispatch, RecordedRange, Recording } from './recording.ts';
import type { Content, ContentRange, Storage } from './storage.ts';
import type { Command, Renewal, Write } from './stream.ts';
import { writeParam } from './wgsl.ts';

export class Replay {
  readonly #device: DeviceRuntime;
  readonly #recording: Recording;
  readonly #commands: readonly Command[];
  readonly #buffers: readonly PooledBuffer[];
  /** Memory of the caller, who may free it. */
  readonly #outside: readonly Storage[];
  /** Memory that the call allocated and that outlived it. */
  readonly #kept: readonly Storage[];
  /** The part of both that each replay writes. */
  readonly #written: readonly Storage[];
  /** Buffers for the temporaries of the call, taken from the pool while it can be replayed. */
  readonly #reserved: readonly PooledBuffer[];
  readonly #arena: ContentRange | null;
  #paramsWritten = false;
  /** All memory that the call allocated: a replay writes it before it reads it. */
  readonly #renewal: Renewal;
  readonly #params: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  /** The dispatches with live params, and the offsets of their params. */
  readonly #places: readonly Place[];

  /** Takes over the memory that `recording` used; `dispose` frees it. */
  constructor(device: DeviceRuntime, recording: Recording) {
    this.#device = device;
    this.#recording = recording;
    const used = new Set(recording.commands.flatMap(rangesOf).map(({ storage }) => storage));
    this.#outside = [...used].filter((storage) => !recording.made.has(storage));
    this.#kept = [...recording.made].filter(({ released }) => !released).map((storage) => storage.retain());
    this.#written = [...new Set(recording.commands.flatMap(writesOf))].filter(({ released }) => !released);
    const reserved = reserve(device, recording);
    this.#reserved = [...new Set(reserved.values())];
    const commands = recording.commands.map((command) => moved(command, reserved));
    this.#buffers = [...new Set(commands.flatMap(rangesOf).map(({ buffer }) => buffer))];
    const { places, bytes } = layOut(commands, device.uniformAlignment);
    this.#places = places.filter(({ dispatch }) => dispatch.live.length > 0);
    this.#params = new Uint8Array(bytes);
    this.#view = new DataView(this.#params.buffer);
    for (const { dispatch, offset } of places) this.#params.set(new Uint8Array(dispatch.params as ArrayBuffer), offset);
    const storage: Content = { bytes, failure: null, released: false };
    this.#arena = bytes > 0 ? { storage, buffer: device.makeUniform(bytes), byteOffset: 0, bytes } : null;
    this.#renewal = { renewed: [...used].filter((storage) => recording.made.has(storage)) };
    this.#commands = device.prepare(
      commands,
      this.#arena,
      new Map(places.map(({ dispatch, offset }) => [dispatch, offset])),
    );
  }

  /** Appends the commands again, with the current live values. Throws CaptureError if this would not repeat the call. */
  append(): void {
    if (this.#outside.some((storage) => storage.released)) {
      throw new CaptureError(
        'capture: a tensor that the recorded function uses was disposed of; capture the function again',
      );
    }
    this.#recording.expectUnchanged();
    for (const live of this.#recording.lives) live.refresh();
    for (const { dispatch, offset } of this.#places) {
      for (const { param, live } of dispatch.live) {
        writeParam(dispatch.kernel.label, this.#view, param, live.value, offset);
      }
    }
    for (const storage of this.#written) storage.wrote('a captured function');
    this.#device.appendAll([this.#renewal, ...this.#writes(), ...this.#commands], this.#buffers);
  }

  /** Writes before a replay: the params, if they are new or live. */
  #writes(): Write[] {
    if (!this.#arena || (this.#paramsWritten && this.#places.length === 0)) return [];
    this.#paramsWritten = true;
    return [{ target: this.#arena, bytes: this.#arena.bytes, data: this.#params.slice() }];
  }

  /** Frees all memory. */
  dispose(): void {
    for (const buffer of this.#reserved) this.#device.pool.unreserve(buffer);
    for (const storage of this.#kept) storage.release();
    if (this.#arena) this.#device.destroyLater(this.#arena.buffer);
  }
}

/** Reserves buffers for the temporaries of a call, in as few bytes as their uses allow, and returns the buffer of each. */
function reserve(device: DeviceRuntime, { commands, made }: Recording): ReadonlyMap<Storage, PooledBuffer> {
  const uses = new Map<Storage, Use>();
  for (const [i, command] of commands.entries()) {
    for (const { storage, byteOffset, bytes } of rangesOf(command)) {
      if (!made.has(storage) || !storage.released) continue;
      const before = uses.get(storage);
      uses.set(storage, {
        bytes: Math.max(before?.bytes ?? 0, byteOffset + bytes),
        first: before?.first ?? i,
        last: i,
      });
    }
  }
  const { sizes, places } = planBuffers([...uses.values()]);
  const buffers = sizes.map((bytes) => device.pool.reserve(bytes, device.limits.maxBufferSize));
  return new Map(Array.from(uses.keys(), (storage, i) => [storage, buffers[places[i] as number] as PooledBuffer]));
}

/** The same command on the reserved buffers. */
function moved(command: Recorded, reserved: ReadonlyMap<Storage, PooledBuffer>): Recorded {
  const move = (range: RecordedRange): RecordedRange => ({
    ...range,
    buffer: reserved.get(range.storage) ?? range.buffer,
  });
  if (!('kernel' in command)) return { ...command, from: move(command.from), to: move(command.to) };
  return { ...command, bound: command.bound.map((range) => range && move(range)) };
}

interface Place {
  readonly dispatch: RecordedDispatch;
  readonly offset: number;
}

/** Lays out the params of all dispatches in one uniform buffer. */
function layOut(
  commands: readonly Recorded[],
  alignment: number,
): { readonly places: readonly Place[]; bytes: number } {
  const places: Place[] = [];
  let end = 0;
  for (const command of commands) {
    if (!('kernel' in command) || !command.params) continue;
    const offset = Math.ceil(end / alignment) * alignment;
    places.push({ dispatch: command, offset });
    end = offset + command.params.byteLength;
  }
  return { places, bytes: Math.ceil(end / 4) * 4 };
}

function writesOf(command: Recorded): readonly Storage[] {
  if (!('kernel' in command)) return [command.to.storage];
  const { bindings } = command.kernel;
  return command.bound.flatMap((range, i) => (range && bindings[i]?.access === 'read_write' ? [range.storage] : []));
}

function rangesOf(command: Recorded): readonly RecordedRange[] {
  if (!('kernel' in command)) return [command.from, command.to];
  return command.bound.filter((range) => range !== null);
}
