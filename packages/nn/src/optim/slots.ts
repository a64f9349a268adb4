// Work on many tensors in few dispatches: each has slots for several of them, as many as eight storage buffers allow (what
// WebGPU guarantees). What an optimizer keeps lies side by side in storages that all slots share.
import { device, type Kernel, keep, type Live, run, Tensor, zeros } from '@mien/tensor';

/** A range of device memory. */
export type Memory = Pick<Tensor, 'storage' | 'byteOffset' | 'bytes'>;

/** What a slot is filled with: ranges of `size` elements by their names in the kernel. */
export interface Filling {
  readonly size: number;
  /** Bound by name and slot: `x` as x0, x1, ... */
  readonly own: Readonly<Record<string, Memory>>;
  /** Bound by name once for all slots: parts of one storage each, all beginning at the same place of theirs. */
  readonly shared: Readonly<Record<string, Memory>>;
}

/** The group that an empty slot begins with: none has this number. */
const never = 0xffffffff;
/** Every adapter takes multiples of this as a binding's offset. */
const alignment = 256;

/**
 * Runs a `kernel` with SLOTS over all `fillings`, in dispatches of as many as fit. The kernel's parameters firstGroups, sizes
 * and firsts (in elements) say where slots lie; `others` and `params` are the rest of its bindings and parameters.
 */
export function runSlots(
  kernel: Kernel,
  fillings: readonly Filling[],
  others: Readonly<Record<string, Tensor | null>>,
  params: Readonly<Record<string, number | Live<number>>>,
): void {
  const slots = kernel.const('SLOTS');
  for (const batch of batches(kernel, fillings.flatMap(pieces))) {
    const names = Object.keys((batch[0] as Filling).own);
    const places = Array.from({ length: slots }, (_, i) =>
      names.map((name) => [name + i, batch[i]?.own[name] ?? null]),
    );
    const extents = extentsOf(batch);
    const firsts = batch.map(({ shared }) => {
      const [name, memory] = Object.entries(shared)[0] ?? [];
      return name && memory ? (memory.byteOffset - (extents[name] as Memory).byteOffset) / 4 : 0;
    });
    const firstGroups = new Array<number>(slots > 4 ? 8 : 4).fill(never);
    let groups = 0;
    for (const [i, { size }] of batch.entries()) {
      firstGroups[i] = groups;
      groups += groupsOf(kernel, size);
    }
    const sizes = batch.map(({ size }) => size);
    const bindings = { ...others, ...Object.fromEntries(places.flat()), ...extents };
    run(kernel, bindings, { ...params, firstGroups, sizes, firsts }, groups);
  }
}

/** The groups that `kernel` needs for `size` elements. */
export function groupsOf(kernel: Kernel, size: number): number {
  return Math.ceil(size / (4 * kernel.const('LANES') * kernel.const('VECTORS')));
}

/** Zeros of each of `shapes`, side by side in as few storages as bindings allow; the caller disposes of them. */
export function zerosTogether(owner: string, shapes: readonly (readonly number[])[]): readonly Tensor[] {
  const most = device().limits.maxStorageBufferBindingSize;
  const found: Tensor[] = [];
  let waiting: { readonly shape: readonly number[]; readonly byteOffset: number }[] = [];
  let bytes = 0;
  const make = (): void => {
    if (bytes === 0) return;
    const whole = zeros([bytes / 4]);
    whole.storage.label(owner);
    for (const { shape, byteOffset } of waiting) {
      found.push(keep(new Tensor(whole.storage.retain(), shape, 'float32', byteOffset)));
    }
    whole.dispose();
    waiting = [];
    bytes = 0;
  };
  for (const shape of shapes) {
    const own = roundUp(4 * shape.reduce((product, size) => product * size, 1));
    if (bytes + own > most) make();
    waiting.push({ shape, byteOffset: bytes });
    bytes += own;
  }
  make();
  return found;
}

/** A filling, in parts where it is larger than a binding. */
export function pieces(filling: Filling): readonly Filling[] {
  const most = Math.floor(device().limits.maxStorageBufferBindingSize / alignment) * alignment;
  const bytes = 4 * filling.size;
  if (bytes <= most) return [filling];
  const found: Filling[] = [];
  for (let start = 0; start < bytes; start += most) {
    const count = Math.min(most, bytes - start);
    const cut = ({ storage, byteOffset }: Memory): Memory => ({
      storage,
      byteOffset: byteOffset + start,
      bytes: count,
    });
    found.push({ size: count / 4, own: mapped(filling.own, cut), shared: mapped(filling.shared, cut) });
  }
  return found;
}

/** Fillings that go into one dispatch: as many as there are slots, while what they share fits into one binding each. */
function* batches(kernel: Kernel, fillings: readonly Filling[]): Generator<readonly Filling[]> {
  const written = kernel.bindings.filter(({ access }) => access === 'read_write').map(({ name }) => name);
  let batch: Filling[] = [];
  for (const filling of fillings) {
    const fits = batch.length < kernel.const('SLOTS') && shareStorage(batch, filling);
    if (batch.length > 0 && !(fits && apart(batch, filling, written))) {
      yield batch;
      batch = [];
    }
    batch.push(filling);
  }
  if (batch.length > 0) yield batch;
}

function shareStorage(batch: readonly Filling[], filling: Filling): boolean {
  const most = device().limits.maxStorageBufferBindingSize;
  return Object.entries(filling.shared).every(
    ([name, { storage }]) =>
      batch.every(({ shared }) => shared[name]?.storage === storage) &&
      (extentsOf([...batch, filling])[name] as Memory).bytes <= most,
  );
}

/** Whether what one of them writes is nothing that another reads or writes: a dispatch may not bind that twice. */
function apart(batch: readonly Filling[], filling: Filling, written: readonly string[]): boolean {
  const writes = ({ own }: Filling) =>
    Object.entries(own).flatMap(([name, { storage }]) => (written.includes(`${name}0`) ? [storage] : []));
  const uses = ({ own }: Filling) => Object.values(own).map(({ storage }) => storage);
  return batch.every(
    (other) =>
      !writes(other).some((storage) => uses(filling).includes(storage)) &&
      !writes(filling).some((storage) => uses(other).includes(storage)),
  );
}

/** For each shared name, the least range that holds all fillings' parts and can be bound. */
function extentsOf(batch: readonly Filling[]): Readonly<Record<string, Memory>> {
  const [first] = batch as [Filling];
  return mapped(first.shared, ({ storage }, name) => {
    const parts = batch.map(({ shared }) => shared[name] as Memory);
    const start = Math.min(...parts.map(({ byteOffset }) => byteOffset));
    const end = Math.max(...parts.map(({ byteOffset, bytes }) => byteOffset + bytes));
    const byteOffset = Math.floor(start / alignment) * alignment;
    return { storage, byteOffset, bytes: end - byteOffset };
  });
}

function mapped<A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
