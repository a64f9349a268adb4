// Finds the operation that made the first NaN or Infinity: while a search is on, a kernel looks at every recorded result
// and at every input that comes from outside the search.
import flagNonFinite from '@mien/shaders/anomaly/flagNonFinite.wgsl';
import { expectBoolean, expectFunction, expectOptions, expectTensor } from './arguments.ts';
import { AnomalyError } from './errors.ts';
import { currentPlace, currentPurpose, type Place } from './places.ts';
import type { DeviceRuntime } from './runtime/device.ts';
import { kernel } from './runtime/kernel.ts';
import { memoryRange, storageOf } from './runtime/memoryRange.ts';
import { run } from './runtime/run.ts';
import { part, splitElements } from './runtime/split.ts';
import { type Storage, storageCount } from './runtime/storage.ts';
import { leafOf } from './runtime/tensorBase.ts';
import { slot, withValue } from './session.ts';
import type { Tensor } from './tensor.ts';

const flag = kernel(flagNonFinite);
/** Flags in one buffer. */
const slotsPerBuffer = 1 << 11;

/** What is looked for. */
export interface AnomalyOptions {
  /** Whether Infinity is an anomaly; NaN always is. False for functions that use it on purpose, as masks do. Default true. */
  readonly infinity?: boolean;
}

/** Something that was looked at: the result of an operation, or an input from outside the search. */
interface Seen {
  readonly operation: string;
  readonly purpose: string;
  readonly place: Place | null;
  readonly shape: readonly number[];
  /** The slots of the operation's inputs; null for an input from outside. */
  readonly inputs: readonly number[] | null;
  readonly isParameter: boolean;
}

class Search {
  readonly #start: number = storageCount();
  readonly seen: Seen[] = [];
  readonly #flags: Storage[] = [];
  /** Where a storage's range was looked at, and how often it had been written to by then. */
  readonly #slots = new WeakMap<Storage, Map<string, { readonly version: number; readonly slot: number }>>();

  /** The slot of `x`, if it was looked at since it was last written to. */
  slotOf(x: Tensor): number | null {
    const known = this.#slots.get(storageOf(x))?.get(rangeOf(x));
    return known?.version === storageOf(x).version ? known.slot : null;
  }

  /** Whether `x` was made since the search began, by kernels of an operation that is not recorded yet. */
  isUnrecorded(x: Tensor): boolean {
    return storageOf(x).order >= this.#start && storageOf(x).operation === null;
  }

  /** Looks at `x`. */
  look(x: Tensor, seen: Seen): void {
    const storage = storageOf(x);
    const { device, version } = storage;
    const slot = this.seen.push(seen) - 1;
    const flags = this.#bufferOf(slot, device);
    const ranges = this.#slots.get(storage) ?? new Map();
    this.#slots.set(storage, ranges.set(rangeOf(x), { version, slot }));
    for (const { start, count } of splitElements(x.size, device.limits)) {
      const groups = Math.ceil(count / (4 * flag.const('LANES') * flag.const('VECTORS')));
      const range = memoryRange(flags, 0, 4 * slotsPerBuffer);
      run(
        flag,
        { x: part(x, 4 * start, 4 * count), flags: range },
        { size: count, slot: slot % slotsPerBuffer },
        groups,
      );
    }
  }

  /** The flags of all slots. */
  async read(): Promise<Uint32Array> {
    const found = new Uint32Array(slotsPerBuffer * this.#flags.length);
    for (const [i, storage] of this.#flags.entries()) {
      const bytes = 4 * slotsPerBuffer;
      const flags = await storage.device.read({ storage, byteOffset: 0, bytes }, bytes);
      found.set(new Uint32Array(flags), i * slotsPerBuffer);
    }
    return found;
  }

  release(): void {
    for (const storage of this.#flags.splice(0)) storage.release();
  }

  #bufferOf(slot: number, device: DeviceRuntime): Storage {
    const index = Math.floor(slot / slotsPerBuffer);
    this.#flags[index] ??= device.upload(new Uint32Array(slotsPerBuffer));
    return this.#flags[index];
  }
}

const search = slot<Search | null>(() => null);

/** Whether a search is on. */
export function searching(): boolean {
  return search.value !== null;
}

/**
 * Notes `y`, the result of the operation `name` on `inputs`, for `detectAnomaly` and for reports of memory. `record` does it;
 * call it for what is written in place, such as parameters that a step updates.
 */
export function inspect(name: string, y: Tensor, inputs: Readonly<Record<string, Tensor | null>> = {}): void {
  expectTensor('inspect', 'y', y);
  expectOptions('inspect', inputs);
  const storage = storageOf(y);
  const inner = Object.values(inputs).filter((x) => x !== null && x !== y && search.value?.isUnrecorded(x));
  // A view of what an operation has not finished belongs to that operation.
  if (inner.some((x) => x !== null && storageOf(x) === storage)) return;
  if (storage.operation === null) {
    storage.operation = name;
    storage.purpose = currentPurpose();
  }
  const current = search.value;
  if (!current || y.dtype !== 'float32') return;
  const [purpose, place] = [currentPurpose(), currentPlace()];
  // A view of its input holds what was looked at already.
  const slots = Object.entries(inputs).flatMap(([key, x]) => {
    if (x?.dtype !== 'float32' || x === y) return [];
    const known = current.slotOf(x);
    if (known !== null) return [known];
    const operation = inner.includes(x) ? storageOf(x).writer : `${key} of ${name}`;
    const from = inner.includes(x) ? [] : null;
    current.look(x, { operation, purpose, place, shape: x.shape, inputs: from, isParameter: leafOf(x) !== null });
    return [current.seen.length - 1];
  });
  if (current.slotOf(y) !== null) return;
  current.look(y, { operation: name, purpose, place, shape: y.shape, inputs: slots, isParameter: false });
}

/**
 * Runs `fn`, forward and backward passes alike, and throws AnomalyError naming the first operation that made NaN, or
 * Infinity from finite inputs, and the layer that it was in. Several times slower than without: for finding a fault, not for
 * training. Resolves with what `fn` returned. To find what made a loss NaN, load the last checkpoint and run the steps up to it
 * again, the last ones by `await detectAnomaly(() => step(batch))`.
 */
export async function detectAnomaly<T>(fn: () => T, options: AnomalyOptions = {}): Promise<T> {
  expectFunction('detectAnomaly', fn);
  expectOptions('detectAnomaly', options, ['infinity']);
  expectBoolean('detectAnomaly', 'infinity', options.infinity ?? true);
  const mine = new Search();
  const result = withValue(search, mine, fn);
  try {
    const found = firstAnomaly(mine.seen, await mine.read(), options);
    if (found) throw found;
  } finally {
    mine.release();
  }
  return result;
}

function firstAnomaly(all: readonly Seen[], flags: Uint32Array, options: AnomalyOptions): AnomalyError | null {
  const { infinity = true } = options;
  const [nan, infinite] = [flag.const('NAN_SEEN'), flag.const('INFINITY_SEEN')];
  for (const [slot, seen] of all.entries()) {
    const found = flags[slot] as number;
    if (found === 0) continue;
    const before = (seen.inputs ?? []).reduce((sum, input) => sum | (flags[input] as number), 0);
    const isNan = (found & nan) !== 0 && (before & nan) === 0;
    // An infinite constant may be a mask; an infinite parameter is none.
    const isInfinite =
      infinity && (found & infinite) !== 0 && before === 0 && (seen.inputs !== null || seen.isParameter);
    if (!isNan && !isInfinite) continue;
    return anomaly(seen, isNan ? 'NaN' : 'Infinity', (before & infinite) !== 0);
  }
  return null;
}

function anomaly(seen: Seen, value: 'NaN' | 'Infinity', fromInfinity: boolean): AnomalyError {
  const operation = seen.purpose === '' ? seen.operation : `${seen.operation} in ${seen.purpose}`;
  const layer = seen.place?.name ?? null;
  const where = `${operation} [${seen.shape.join(', ')}]${layer === null ? '' : ` in layer ${layer}`}`;
  if (!seen.inputs)
    return new AnomalyError(`anomaly: ${where} held ${value} before the operation`, { operation, layer, value });
  const inputs = fromInfinity ? 'from inputs that hold Infinity' : 'from finite inputs';
  return new AnomalyError(`anomaly: ${where} is the first to give ${value}, ${inputs}`, { operation, layer, value });
}

function rangeOf({ byteOffset, size }: Tensor): string {
  return `${byteOffset} ${size}`;
}
