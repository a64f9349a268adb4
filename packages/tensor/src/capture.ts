// Records a function whose calls all do the same, then replays its commands with almost no JavaScript.

import { searching } from './anomaly.ts';
import { expectFunction, expectOptions, expectTensor } from './arguments.ts';
import { gradEnabled } from './autograd.ts';
import { CaptureError, ValueError } from './errors.ts';
import { show } from './ops/geometry.ts';
import { currentDevice } from './runtime/defaultDevice.ts';
import type { DeviceRuntime } from './runtime/device.ts';
import { currentRecording, recordInto, unchanging } from './runtime/live.ts';
import { storageOf } from './runtime/memoryRange.ts';
import { Recording } from './runtime/recording.ts';
import { Replay } from './runtime/replay.ts';
import { disown, type Holding, keep, Owned, scope } from './runtime/scope.ts';
import { aliasOf, gradOf, setGrad, type TensorBase } from './runtime/tensorBase.ts';
import { assign, empty, Tensor } from './tensor.ts';

/** Options of capture. */
export interface CaptureOptions {
  /**
   * Replays between two checks that the function would still do what was recorded; 0 for none. A check runs the function
   * without the device and costs as much as 10 to 30 replays. Default: after 64, 128, 256, ... replays.
   */
  readonly verifyEvery?: number;
}

/** Replays before the first check. */
const firstCheck = 64;

/** The gradient of a leaf before and after a recorded call. */
interface LeafState {
  readonly leaf: TensorBase;
  readonly before: boolean;
  readonly after: TensorBase | null;
}

/** The device memory of a captured function. */
class CaptureMemory implements Holding {
  readonly origin = 'capture';
  readonly inputs: Tensor[] = [];
  replay: Replay | null = null;
  /** Aliases of the results and gradients of the recorded call. */
  readonly aliases: TensorBase[] = [];

  release(): void {
    this.replay?.dispose();
    this.replay = null;
    for (const tensor of [...this.inputs.splice(0), ...this.aliases.splice(0)]) tensor.dispose();
  }
}

/**
 * A function of tensors whose calls can be replayed; made by `capture`. Owned by the caller: `dispose()` frees its memory, which
 * `memory()` counts as reserved.
 */
export class Capture<I extends readonly Tensor[], T> extends Owned {
  readonly #held: CaptureMemory;
  readonly #fn: (...inputs: I) => T;
  readonly #verifyEvery: number | null;
  #device: DeviceRuntime | null = null;
  #last: Recording | null = null;
  /** The call that is replayed, if it can be checked. */
  #recording: Recording | null = null;
  /** Names the results of the last recorded call. */
  #outcome = '';
  #replays = 0;
  /** The failure of a check: earlier replays may have differed from the function. */
  #changed: CaptureError | null = null;
  #hasInputs = false;
  #recorded = 0;
  #leaves: readonly LeafState[] = [];
  /** The recorded call's result, with aliases of its tensors. */
  #result: unknown;
  #disposed = false;

  constructor(fn: (...inputs: I) => T, options: CaptureOptions = {}) {
    const { verifyEvery = null } = options;
    if (verifyEvery !== null && !(Number.isInteger(verifyEvery) && verifyEvery >= 0)) {
      throw new ValueError(`capture: verifyEvery must be 0 or a positive integer, got ${verifyEvery}`);
    }
    const held = new CaptureMemory();
    super(held);
    this.#held = held;
    this.#fn = fn;
    this.#verifyEvery = verifyEvery;
    keep(this);
  }

  /** Whether the next call is a replay. */
  get replays(): boolean {
    return this.#held.replay !== null;
  }

  /**
   * Calls the function, or replays it. The caller owns the result's tensors, as if the function had been called. Throws
   * CaptureError if a replay would differ from a call.
   */
  run(...inputs: I): T {
    const device = this.#expectUsable();
    this.#setInputs(inputs);
    const { replay } = this.#held;
    if (!replay) return this.#record(device);
    this.#expectGradients();
    if (this.#isDue(++this.#replays)) this.#verify();
    replay.append();
    for (const { leaf, after } of this.#leaves) {
      const gradient = gradOf(leaf);
      if (!after) setGrad(leaf, null);
      else if (!gradient || storageOf(gradient) !== storageOf(after)) setGrad(leaf, aliasOf(after, null));
    }
    return mapTensors(this.#result, copyOf) as T;
  }

  /** Frees its memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disown(this);
    this.#held.release();
  }

  #expectUsable(): DeviceRuntime {
    if (this.#changed) throw this.#changed;
    if (this.#disposed) throw new CaptureError('capture: it was disposed of; capture the function again');
    if (currentRecording())
      throw new CaptureError('capture: a captured function calls another captured function; call the function itself');
    if (searching()) {
      throw new CaptureError('capture: detectAnomaly inspects each operation; pass it the function itself');
    }
    const device = currentDevice();
    device.expectAlive();
    this.#device ??= device;
    if (device === this.#device) return device;
    throw new CaptureError('capture: the function was captured on another device, which was lost; capture it again');
  }

  /** Copies the arguments to the tensors that the function gets in every call. */
  #setInputs(inputs: readonly Tensor[]): void {
    for (const [i, input] of inputs.entries()) expectTensor('capture', `argument ${i}`, input);
    const targets = this.#held.inputs;
    if (!this.#hasInputs) for (const { shape, dtype } of inputs) targets.push(keep(empty(shape, dtype)));
    this.#hasInputs = true;
    if (inputs.length !== targets.length) {
      throw new CaptureError(
        `capture: the function was captured with ${targets.length} arguments, got ${inputs.length}`,
      );
    }
    for (const [i, input] of inputs.entries()) {
      const target = targets[i] as Tensor;
      if (input.requiresGrad) {
        throw new CaptureError(
          `capture: argument ${i} requires a gradient; detach() it, or let the function use it from outside`,
        );
      }
      const [expected, actual] = [target, input].map(({ dtype, shape }) => `${dtype} ${show(shape)}`);
      if (expected !== actual) {
        throw new CaptureError(
          `capture: argument ${i} was ${expected} in the first call, got ${actual}; call the function itself, or capture it for this shape too`,
        );
      }
    }
    for (const [i, input] of inputs.entries()) assign(targets[i] as Tensor, input);
  }

  #record(device: DeviceRuntime): T {
    const recording = new Recording();
    return scope(() => {
      const result = this.#call(recording);
      const before = this.#last;
      this.#last = recording;
      const outcome = outcomeOf(result, recording);
      const difference = before ? this.#differenceFrom(before, recording, outcome) : 'it is the first call';
      this.#outcome = outcome;
      if (difference === null) return this.#accept(device, recording, result);
      if (++this.#recorded <= 2) return result;
      throw new CaptureError(`capture: its third call differs from its second: ${difference}`);
    });
  }

  #call(recording: Recording): T {
    const result = recordInto(recording, () => {
      unchanging('gradEnabled', gradEnabled);
      return scope(() => this.#fn(...(this.#held.inputs as unknown as I)));
    });
    if (recording.refusal) throw recording.refusal;
    return result;
  }

  #differenceFrom(before: Recording, recording: Recording, outcome: string): string | null {
    return (
      recording.differenceFrom(before) ??
      (outcome === this.#outcome ? null : 'it returns different tensors or leaves different gradients')
    );
  }

  #isDue(replay: number): boolean {
    const every = this.#verifyEvery;
    if (!this.#recording || every === 0) return false;
    return every === null ? replay >= firstCheck && Number.isInteger(Math.log2(replay)) : replay % every === 0;
  }

  /** Runs the function without the device. Throws CaptureError if it would not do what was recorded. */
  #verify(): void {
    const recorded = this.#recording as Recording;
    recorded.expectUnchanged();
    const rehearsal = new Recording(recorded);
    try {
      const difference = scope(() => {
        const result = this.#call(rehearsal);
        return this.#differenceFrom(recorded, rehearsal, outcomeOf(result, rehearsal));
      });
      if (difference === null) return;
      this.#changed = new CaptureError(
        `capture: the function no longer does what was recorded, which the last replays repeated: ${difference}`,
      );
      throw this.#changed;
    } finally {
      for (const [leaf, gradient] of rehearsal.gradients) setGrad(leaf, gradient);
    }
  }

  /** Replays `recording` in later calls. Returns copies of its result, whose memory the replays overwrite. */
  #accept(device: DeviceRuntime, recording: Recording, result: T): T {
    const held = this.#held;
    const alias = <T extends TensorBase>(tensor: T): T => {
      const copy = aliasOf(tensor, null);
      held.aliases.push(copy);
      return copy;
    };
    this.#result = mapTensors(result, (tensor) => {
      if (tensor.requiresGrad) throw new CaptureError('capture: its result requires a gradient; return x.detach()');
      return alias(tensor);
    });
    this.#leaves = Array.from(recording.leaves, ([leaf, before]) => {
      const gradient = gradOf(leaf);
      return { leaf, before, after: gradient && alias(gradient) };
    });
    held.replay = new Replay(device, recording);
    this.#last = null;
    const aliased = new Set(held.aliases.map(storageOf));
    // If the function keeps other tensors, a check would leave it tensors without memory.
    if ([...recording.made].every((storage) => storage.released || aliased.has(storage))) this.#recording = recording;
    return mapTensors(this.#result, copyOf) as T;
  }

  #expectGradients(): void {
    for (const { leaf, before } of this.#leaves) {
      if ((gradOf(leaf) !== null) === before) continue;
      const [then, now] = before ? ['a', 'no'] : ['no', 'a'];
      throw new CaptureError(
        `capture: a leaf ${show(leaf.shape)} had ${then} gradient when the function was recorded and has ${now} gradient now; clear gradients as before the recorded calls`,
      );
    }
  }
}

/**
 * Captures `fn` for replay: `run(...)` of the result calls `fn` with copies of its arguments until two consecutive calls did the
 * same, at the latest the second and third; later calls replay their commands without running `fn`, with bit-identical results.
 *
 * `fn` is synchronous, reads nothing on the host and returns tensors that require no gradient, alone or in arrays and plain
 * objects. Pass values that change between calls as arguments (tensors of fixed shapes) or by `live` (numbers); parameters and
 * other tensors from outside have their current values. Modules, optimizers, dropout and EMA of Mien support this. Other
 * effects of `fn` on the host happen in recorded calls and checks only.
 *
 * Replays do **not** see a number, flag or list of the host that `fn` reads and that changes later: pass it by `live`, or declare
 * it by `unchanging`, so that a replay with another value is refused. As a safety net, `fn` runs again without the device after
 * 64, 128, 256, ... replays (or every `verifyEvery`), and CaptureError is thrown if it would use other kernels, tensors, sizes or
 * numbers. A change that is undone between two checks goes unnoticed, and a function that keeps tensors which it does not return
 * is not checked.
 */
export function capture<I extends readonly Tensor[], T>(
  fn: (...inputs: I) => T,
  options: CaptureOptions = {},
): Capture<I, T> {
  expectFunction('capture', fn);
  expectOptions('capture', options, ['verifyEvery']);
  return new Capture(fn, options);
}

/** Names the memory of the tensors of `result` and of the gradients of leaves. */
function outcomeOf(result: unknown, recording: Recording): string {
  const names: string[] = [];
  const note = (x: TensorBase): void => {
    names.push(`${recording.nameOf(storageOf(x))} ${x.byteOffset} ${x.dtype} ${show(x.shape)}`);
  };
  mapTensors(result, (tensor) => {
    note(tensor);
    return tensor;
  });
  for (const leaf of recording.leaves.keys()) {
    const gradient = gradOf(leaf);
    if (gradient) note(gradient);
    else names.push('no gradient');
  }
  return names.join();
}

function copyOf(tensor: Tensor): Tensor {
  const copy = empty(tensor.shape, tensor.dtype);
  assign(copy, tensor);
  return copy;
}

/** The same arrays and plain objects with `map` of each tensor. Throws CaptureError for anything else. */
function mapTensors(value: unknown, map: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return map(value);
  if (value === undefined || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, map));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTensors(item, map)]));
  }
  throw new CaptureError(
    `capture: the function returns ${String(value)}; it may return tensors, in arrays and plain objects`,
  );
}
