// A function whose calls all do the same is recorded once, then repeated with almost no JavaScript.
import { searching } from './anomaly.ts';
import { gradEnabled } from './autograd.ts';
import { CaptureError } from './errors.ts';
import { show } from './ops/geometry.ts';
import { device } from './runtime/defaultDevice.ts';
import type { Device } from './runtime/device.ts';
import { currentRecording, recordInto, unchanging } from './runtime/live.ts';
import { Recording } from './runtime/recording.ts';
import { Replay } from './runtime/replay.ts';
import { disown, type Holding, keep, type Owned, scope } from './runtime/scope.ts';
import { assign, empty, Tensor } from './tensor.ts';

/** The gradient of a leaf before and after a recorded call. */
interface LeafState {
  readonly leaf: Tensor;
  readonly before: boolean;
  readonly after: Tensor | null;
}

/** What a captured function holds on the device. */
class Held implements Holding {
  readonly origin = 'capture';
  readonly inputs: Tensor[] = [];
  replay: Replay | null = null;
  /** Handles on the results and gradients of the recorded call. */
  readonly handles: Tensor[] = [];

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
export class Capture<I extends readonly Tensor[], T> implements Owned {
  readonly holding: Held = new Held();
  readonly #fn: (...inputs: I) => T;
  #device: Device | null = null;
  #last: Recording | null = null;
  #taken = false;
  #recorded = 0;
  #leaves: readonly LeafState[] = [];
  /** The recorded call's result, with handles in place of its tensors. */
  #result: unknown;
  #disposed = false;

  constructor(fn: (...inputs: I) => T) {
    this.#fn = fn;
    keep(this);
  }

  /** Whether the next call is a replay. */
  get replays(): boolean {
    return this.holding.replay !== null;
  }

  /**
   * Calls the function, or replays it. The result's tensors are the caller's own, as if the function had been called.
   * Throws CaptureError where a replay would not do what a call does.
   */
  run(...inputs: I): T {
    const on = this.#expectUsable();
    this.#take(inputs);
    const { replay } = this.holding;
    if (!replay) return this.#record(on);
    this.#expectGradients();
    replay.append();
    for (const { leaf, after } of this.#leaves) {
      if (!after) leaf.grad = null;
      else if (leaf.grad?.storage !== after.storage) leaf.grad = after.alias(null);
    }
    return mapTensors(this.#result, copyOf) as T;
  }

  /** Gives its memory back. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disown(this);
    this.holding.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #expectUsable(): Device {
    if (this.#disposed) throw new CaptureError('capture: it was disposed of; capture the function anew');
    if (currentRecording())
      throw new CaptureError('capture: a captured function calls another; call its function itself');
    if (searching()) {
      throw new CaptureError('capture: detectAnomaly looks at each operation; give it the function itself');
    }
    const on = device();
    on.expectAlive();
    this.#device ??= on;
    if (on === this.#device) return on;
    throw new CaptureError('capture: the function was captured on a device that was lost; capture it anew on this one');
  }

  /** Copies the arguments to the tensors that the function sees in every call. */
  #take(inputs: readonly Tensor[]): void {
    const own = this.holding.inputs;
    if (!this.#taken) for (const { shape, dtype } of inputs) own.push(keep(empty(shape, dtype)));
    this.#taken = true;
    if (inputs.length !== own.length) {
      throw new CaptureError(`capture: the function was captured with ${own.length} arguments, came ${inputs.length}`);
    }
    for (const [i, input] of inputs.entries()) {
      const target = own[i] as Tensor;
      if (input.requiresGrad) {
        throw new CaptureError(`capture: argument ${i} requires a gradient; detach() it, or use it from outside`);
      }
      const [expected, came] = [target, input].map(({ dtype, shape }) => `${dtype} ${show(shape)}`);
      if (expected !== came) {
        throw new CaptureError(
          `capture: argument ${i} was ${expected} in the first call, came ${came}; call the function itself, or capture it for this shape too`,
        );
      }
    }
    for (const [i, input] of inputs.entries()) assign(own[i] as Tensor, input);
  }

  #record(on: Device): T {
    const recording = new Recording();
    return scope(() => {
      const result = recordInto(recording, () => {
        unchanging('gradEnabled', gradEnabled);
        return scope(() => this.#fn(...(this.holding.inputs as unknown as I)));
      });
      if (recording.breach) throw recording.breach;
      const before = this.#last;
      this.#last = recording;
      const difference = before ? recording.differenceFrom(before) : 'it is the first call';
      if (difference === null) return this.#accept(on, recording, result);
      if (++this.#recorded <= 2) return result;
      throw new CaptureError(`capture: its third call differs from its second: ${difference}`);
    });
  }

  /** From now on `recording` is replayed. Gives copies of its result, whose own memory replays will write to. */
  #accept(on: Device, recording: Recording, result: T): T {
    const { holding } = this;
    const handle = (tensor: Tensor): Tensor => {
      const copy = tensor.alias(null);
      holding.handles.push(copy);
      return copy;
    };
    this.#result = mapTensors(result, (tensor) => {
      if (tensor.requiresGrad) throw new CaptureError('capture: its result requires a gradient; return x.detach()');
      return handle(tensor);
    });
    this.#leaves = Array.from(recording.leaves, ([leaf, before]) => {
      return { leaf, before, after: leaf.grad && handle(leaf.grad) };
    });
    holding.replay = new Replay(on, recording);
    this.#last = null;
    return mapTensors(this.#result, copyOf) as T;
  }

  #expectGradients(): void {
    for (const { leaf, before } of this.#leaves) {
      if ((leaf.grad !== null) === before) continue;
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
 * parameters and other tensors from outside it sees as they are, changed in place or not. Modules, optimisers, dropout and
 * EMA of Mien do what that needs. Whatever else `fn` does on the host happens in recorded calls only.
 */
export function capture<I extends readonly Tensor[], T>(fn: (...inputs: I) => T): Capture<I, T> {
  return new Capture(fn);
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
