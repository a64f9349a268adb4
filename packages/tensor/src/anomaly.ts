// Finds the operation that produced the first NaN or Infinity: during a search, a kernel inspects every recorded result and every
// input from outside of the search.
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
import { isLeaf } from './runtime/tensorBase.ts';
import { slot, withValue } from './session.ts';
import type { Tensor } from './tensor.ts';

const flag = kernel(flagNonFinite);
/** Flags in one buffer. */
const slotsPerBuffer = 1 << 11;

/** Options of detectAnomaly. */
export interface AnomalyOptions {
  /** Whether Infinity is an anomaly, as NaN always is; false for functions that use it on purpose, such as masks. Default true. */
  readonly infinity?: boolean;
}

/** A tensor that was inspected: the result of an operation, or an input from outside of the search. */
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
  /** The slots of inspected ranges of storages, with the versions that were inspected. */
  readonly #slots = new WeakMap<Storage, Map<string, { readonly version: number; readonly slot: number }>>();

  /** The slot of `x`, if it was inspected and not written since. */
  slotOf(x: Tensor): number | null {
    const known = this.#slots.get(storageOf(x))?.get(rangeOf(x));
    return known?.version === storageOf(x).version ? known.slot : null;
  }

  /** Whether `x` was made during the search by an operation that is not recorded yet. */
  isUnrecorded(x: Tensor): boolean {
    return storageOf(x).order >= this.#start && storageOf(x).operation === null;
  }

  /** Inspects `x`. */
  inspect(x: Tensor, seen: Seen): void {
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

/** Whether detectAnomaly is running. */
export function searching(): boolean {
  return search.value !== null;
}

/**
 * Reports `y`, the result of the operation `name` on `inputs`, to `detectAnomaly` and to reports of memory. `record` calls it; call
 * it for tensors that are written in place, such as parameters that an optimizer updates.
 */
export function inspect(name: string, y: Tensor, inputs: Readonly<Record<string, Tensor | null>> = {}): void {
  expectTensor('inspect', 'y', y);
  expectOptions('inspect', inputs);
  const storage = storageOf(y);
  const inner = Object.values(inputs).filter((x) => x !== null && x !== y && search.value?.isUnrecorded(x));
  // A view of the unfinished result of an operation belongs to that operation.
  if (inner.some((x) => x !== null && storageOf(x) === storage)) return;
  if (storage.operation === null) {
    storage.operation = name;
    storage.purpose = currentPurpose();
  }
  const current = search.value;
  if (!current || y.dtype !== 'float32') return;
  const [purpose, place] = [currentPurpose(), currentPlace()];
  // A view of an input was inspected already.
  const slots = Object.entries(inputs).flatMap(([key, x]) => {
    if (x?.dtype !== 'float32' || x === y) return [];
    const known = current.slotOf(x);
    if (known !== null) return [known];
    const operation = inner.includes(x) ? storageOf(x).writer : `${key} of ${name}`;
    const from = inner.includes(x) ? [] : null;
    current.inspect(x, { operation, purpose, place, shape: x.shape, inputs: from, isParameter: isLeaf(x) });
    return [current.seen.length - 1];
  });
  if (current.slotOf(y) !== null) return;
  current.inspect(y, { operation: name, purpose, place, shape: y.shape, inputs: slots, isParameter: false });
}

/**
 * Runs `fn`, both forward and backward passes, and throws AnomalyError naming the first operation, and its layer, that produced
 * NaN, or Infinity from finite inputs. Resolves with the result of `fn`. Several times slower: use it to find a fault, not to
 * train. To find the cause of a NaN loss, load the last checkpoint before it and repeat the steps, the last ones by
 * `await detectAnomaly(() => step(batch))`.
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
    // An infinite constant may be a mask; an infinite parameter is an anomaly.
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
    return new AnomalyError(`anomaly: ${where} contained ${value} before the operation`, { operation, layer, value });
  const inputs = fromInfinity ? 'from inputs that contain Infinity' : 'from finite inputs';
  return new AnomalyError(`anomaly: ${where} is the first to produce ${value}, ${inputs}`, { operation, layer, value });
}

function rangeOf({ byteOffset, size }: Tensor): string {
  return `${byteOffset} ${size}`;
}
