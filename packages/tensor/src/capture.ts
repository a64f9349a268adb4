// A function whose calls all do the same is recorded once, then repeated with almost no JavaScript.

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

/** How a captured function is repeated. */
export interface CaptureOptions {
  /**
   * Replays between two checks that the function would still do what was recorded; 0 for none. A check runs the function
   * without the device and costs what its JavaScript does, 10 to 30 replays. Default: after 64, 128, 256, ... replays.
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

/** What a captured function holds on the device. */
class Held implements Holding {
  readonly origin = 'capture';
  readonly inputs: Tensor[] = [];
  replay: Replay | null = null;
  /** Handles on the results and gradients of the recorded call. */
  readonly handles: TensorBase[] = [];

  release(): void {
    this.replay?.dispose();
    this.replay = null;
    for (const tensor of [...this.inputs.splice(0), ...this.handles.splice(0)]) tensor.dispose();
  }
}

/**
 * A function of tensors whose calls can be repeated; made by `capture`. Owned by the caller: `dispose()` gives back the
 * memory that it works in, which `memory()` counts as reserved.
 */
export class Capture<I extends readonly Tensor[], T> extends Owned {
  readonly #held: Held;
  readonly #fn: (...inputs: I) => T;
  readonly #verifyEvery: number | null;
  #device: DeviceRuntime | null = null;
  #last: Recording | null = null;
  /** The call that is replayed, where it can be checked. */
  #recording: Recording | null = null;
  /** What the last recorded call gave. */
  #outcome = '';
  #replays = 0;
  /** What a check found: earlier replays may have done what the function no longer does. */
  #changed: CaptureError | null = null;
  #taken = false;
  #recorded = 0;
  #leaves: readonly LeafState[] = [];
  /** The recorded call's result, with handles in place of its tensors. */
  #result: unknown;
  #disposed = false;

  constructor(fn: (...inputs: I) => T, options: CaptureOptions = {}) {
    const { verifyEvery = null } = options;
    if (verifyEvery !== null && !(Number.isInteger(verifyEvery) && verifyEvery >= 0)) {
      throw new ValueError(`capture: verifyEvery must be 0 or a positive integer, got ${verifyEvery}`);
    }
    const held = new Held();
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
   * Calls the function, or replays it. The result's tensors are the caller's own, as if the function had been called.
   * Throws CaptureError where a replay would not do what a call does.
   */
  run(...inputs: I): T {
    const on = this.#expectUsable();
    this.#take(inputs);
    const { replay } = this.#held;
    if (!replay) return this.#record(on);
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

  /** Gives its memory back. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disown(this);
    this.#held.release();
  }

  #expectUsable(): DeviceRuntime {
    if (this.#changed) throw this.#changed;
    if (this.#disposed) throw new CaptureError('capture: it was disposed of; capture the function anew');
    if (currentRecording())
      throw new CaptureError('capture: a captured function calls another; call its function itself');
    if (searching()) {
      throw new CaptureError('capture: detectAnomaly looks at each operation; give it the function itself');
    }
    const on = currentDevice();
    on.expectAlive();
    this.#device ??= on;
    if (on === this.#device) return on;
    throw new CaptureError('capture: the function was captured on a device that was lost; capture it anew on this one');
  }

  /** Copies the arguments to the tensors that the function sees in every call. */
  #take(inputs: readonly Tensor[]): void {
    for (const [i, input] of inputs.entries()) expectTensor('capture', `argument ${i}`, input);
    const own = this.#held.inputs;
    if (!this.#taken) for (const { shape, dtype } of inputs) own.push(keep(empty(shape, dtype)));
    this.#taken = true;
    if (inputs.length !== own.length) {
      throw new CaptureError(`capture: the function was captured with ${own.length} arguments, got ${inputs.length}`);
    }
    for (const [i, input] of inputs.entries()) {
      const target = own[i] as Tensor;
      if (input.requiresGrad) {
        throw new CaptureError(`capture: argument ${i} requires a gradient; detach() it, or use it from outside`);
      }
      const [expected, actual] = [target, input].map(({ dtype, shape }) => `${dtype} ${show(shape)}`);
      if (expected !== actual) {
        throw new CaptureError(
          `capture: argument ${i} was ${expected} in the first call, got ${actual}; call the function itself, or capture it for this shape too`,
        );
      }
    }
    for (const [i, input] of inputs.entries()) assign(own[i] as Tensor, input);
  }

  #record(on: DeviceRuntime): T {
    const recording = new Recording();
    return scope(() => {
      const result = this.#call(recording);
      const before = this.#last;
      this.#last = recording;
      const outcome = outcomeOf(result, recording);
      const difference = before ? this.#differenceFrom(before, recording, outcome) : 'it is the first call';
      this.#outcome = outcome;
      if (difference === null) return this.#accept(on, recording, result);
      if (++this.#recorded <= 2) return result;
      throw new CaptureError(`capture: its third call differs from its second: ${difference}`);
    });
  }

  #call(recording: Recording): T {
    const result = recordInto(recording, () => {
      unchanging('gradEnabled', gradEnabled);
      return scope(() => this.#fn(...(this.#held.inputs as unknown as I)));
    });
    if (recording.breach) throw recording.breach;
    return result;
  }

  #differenceFrom(before: Recording, recording: Recording, outcome: string): string | null {
    return (
      recording.differenceFrom(before) ?? (outcome === this.#outcome ? null : 'it returns or leaves other tensors')
    );
  }

  #isDue(replay: number): boolean {
    const every = this.#verifyEvery;
    if (!this.#recording || every === 0) return false;
    return every === null ? replay >= firstCheck && Number.isInteger(Math.log2(replay)) : replay % every === 0;
  }

  /** Runs the function without the device. Throws CaptureError where it would not do what was recorded. */
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

  /** From now on `recording` is replayed. Gives copies of its result, whose own memory replays will write to. */
  #accept(on: DeviceRuntime, recording: Recording, result: T): T {
    const held = this.#held;
    const handle = <T extends TensorBase>(tensor: T): T => {
      const copy = aliasOf(tensor, null);
      held.handles.push(copy);
      return copy;
    };
    this.#result = mapTensors(result, (tensor) => {
      if (tensor.requiresGrad) throw new CaptureError('capture: its result requires a gradient; return x.detach()');
      return handle(tensor);
    });
    this.#leaves = Array.from(recording.leaves, ([leaf, before]) => {
      const gradient = gradOf(leaf);
      return { leaf, before, after: gradient && handle(gradient) };
    });
    held.replay = new Replay(on, recording);
    this.#last = null;
    const handled = new Set(held.handles.map(storageOf));
    // A check of a function that keeps other tensors would leave it tensors without memory.
    if ([...recording.made].every((storage) => storage.released || handled.has(storage))) this.#recording = recording;
    return mapTensors(this.#result, copyOf) as T;
  }

  #expectGradients(): void {
    for (const { leaf, before } of this.#leaves) {
      if ((gradOf(leaf) !== null) === before) continue;
      const [then, now] = before ? ['a', 'none'] : ['no', 'one'];
      throw new CaptureError(
        `capture: a leaf ${show(leaf.shape)} had ${then} gradient when the function was recorded and has ${now}; clear gradients where the recorded calls did`,
      );
    }
  }
}

/**
 * Prepares `fn` to be repeated: `run(...)` of what comes back calls it with copies of its arguments until two calls after
 * one another did the same, at the latest the second and third; from then on their commands are replayed, bit for bit what
 * a call would do, without running `fn`.
 *
 * `fn` is synchronous, reads nothing on the host and returns tensors that require no gradient, alone or in arrays and plain
 * objects. What changes from call to call it takes as arguments (tensors of fixed shapes) or by `live` (numbers);
 * parameters and other tensors from outside it sees as they are, changed in place or not. Modules, optimizers, dropout and
 * EMA of Mien do what that needs. Whatever else `fn` does on the host happens in recorded calls and checks only.
 *
 * A number, flag or list of the host that `fn` reads and that changes later is **not** seen by replays: give it by `live`, or
 * name it by `unchanging`, so that a replay with another value is refused at once. As a safety net `fn` is run again without
 * the device after 64, 128, 256, ... replays (or every `verifyEvery`), and CaptureError is thrown where it would no
 * longer do the same: other kernels, tensors, sizes or numbers. What changes and changes back between two checks is not seen,
 * nor is a function checked that keeps tensors which it does not return.
 */
export function capture<I extends readonly Tensor[], T>(
  fn: (...inputs: I) => T,
  options: CaptureOptions = {},
): Capture<I, T> {
  expectFunction('capture', fn);
  expectOptions('capture', options, ['verifyEvery']);
  return new Capture(fn, options);
}

/** Which memory the tensors of `result` and the gradients of leaves are in. */
function outcomeOf(result: unknown, recording: Recording): string {
  const found: string[] = [];
  const note = (x: TensorBase): void => {
    found.push(`${recording.nameOf(storageOf(x))} ${x.byteOffset} ${x.dtype} ${show(x.shape)}`);
  };
  mapTensors(result, (tensor) => {
    note(tensor);
    return tensor;
  });
  for (const leaf of recording.leaves.keys()) {
    const gradient = gradOf(leaf);
    if (gradient) note(gradient);
    else found.push('no gradient');
  }
  return found.join();
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
