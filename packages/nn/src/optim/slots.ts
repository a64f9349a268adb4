// One dispatch for many tensors: a kernel has slots, as many as eight storage buffers allow (WebGPU's guarantee), and each
// takes one parameter's tensors. Optimizer state is side by side in a few storages, which all slots of a dispatch share.

import { device, type Kernel, keep, type Live, run, type Tensor, zeros } from '@mien/tensor';
import { type Memory, memoryRange, part, storageOf, tensorOver } from '@mien/tensor/internal';

/** The memory bound to one slot: ranges of `size` elements by their names in the kernel. */
export interface SlotBindings {
  readonly size: number;
  /** One binding per slot: `x` is bound as x0, x1, ... */
  readonly perSlot: Readonly<Record<string, Memory>>;
  /** One binding for all slots: ranges of one storage per name, which all start at the same offset of theirs. */
  readonly shared: Readonly<Record<string, Memory>>;
}

/** First workgroup of an empty slot: no workgroup has this number. */
const never = 0xffffffff;
/** Every adapter accepts multiples of this as a binding's offset. */
const alignment = 256;

/**
 * Runs a kernel with SLOTS over all `slots`, in as few dispatches as possible. Sets the kernel's parameters firstGroups,
 * sizes and firsts (in elements); `bindings` and `params` are its other ones.
 */
export function runSlots(
  kernel: Kernel,
  slots: readonly SlotBindings[],
  bindings: Readonly<Record<string, Tensor | null>>,
  params: Readonly<Record<string, number | Live<number>>>,
): void {
  const slotCount = kernel.const('SLOTS');
  for (const batch of batches(kernel, slots.flatMap(splitSlot))) {
    const names = Object.keys((batch[0] as SlotBindings).perSlot);
    const perSlot = Array.from({ length: slotCount }, (_, i) =>
      names.map((name) => [name + i, batch[i]?.perSlot[name] ?? null]),
    );
    const shared = sharedRanges(batch);
    const firsts = batch.map((slot) => {
      const [name, memory] = Object.entries(slot.shared)[0] ?? [];
      return name && memory ? (memory.byteOffset - (shared[name] as Memory).byteOffset) / 4 : 0;
    });
    const firstGroups = new Array<number>(slotCount > 4 ? 8 : 4).fill(never);
    let groups = 0;
    for (const [i, { size }] of batch.entries()) {
      firstGroups[i] = groups;
      groups += workgroupsFor(kernel, size);
    }
    const sizes = batch.map(({ size }) => size);
    const all = { ...bindings, ...Object.fromEntries(perSlot.flat()), ...shared };
    run(kernel, all, { ...params, firstGroups, sizes, firsts }, groups);
  }
}

/** Workgroups of `kernel` for `size` elements. */
export function workgroupsFor(kernel: Kernel, size: number): number {
  return Math.ceil(size / (4 * kernel.const('LANES') * kernel.const('VECTORS')));
}

/** Zeros of each of `shapes`, side by side in as few storages as bindings allow; the caller disposes of them. */
export function zerosTogether(owner: string, shapes: readonly (readonly number[])[]): readonly Tensor[] {
  const most = device().limits.maxStorageBufferBindingSize;
  const tensors: Tensor[] = [];
  let pending: { readonly shape: readonly number[]; readonly byteOffset: number }[] = [];
  let bytes = 0;
  const allocate = (): void => {
    if (bytes === 0) return;
    const all = zeros([bytes / 4]);
    storageOf(all).label(owner);
    for (const { shape, byteOffset } of pending) {
      tensors.push(keep(tensorOver(storageOf(all).retain(), shape, 'float32', byteOffset)));
    }
    all.dispose();
    pending = [];
    bytes = 0;
  };
  for (const shape of shapes) {
    const size = roundUp(4 * shape.reduce((product, each) => product * each, 1));
    if (bytes + size > most) allocate();
    pending.push({ shape, byteOffset: bytes });
    bytes += size;
  }
  allocate();
  return tensors;
}

/** `slot`, split into parts where it is larger than a binding. */
export function splitSlot(slot: SlotBindings): readonly SlotBindings[] {
  const most = Math.floor(device().limits.maxStorageBufferBindingSize / alignment) * alignment;
  const bytes = 4 * slot.size;
  if (bytes <= most) return [slot];
  const parts: SlotBindings[] = [];
  for (let start = 0; start < bytes; start += most) {
    const count = Math.min(most, bytes - start);
    const cut = (memory: Memory): Memory => part(memory, start, count);
    parts.push({ size: count / 4, perSlot: mapValues(slot.perSlot, cut), shared: mapValues(slot.shared, cut) });
  }
  return parts;
}

/** Groups slots into dispatches: at most SLOTS each, while the shared ranges fit into one binding per name. */
function* batches(kernel: Kernel, slots: readonly SlotBindings[]): Generator<readonly SlotBindings[]> {
  const written = kernel.bindings.filter(({ access }) => access === 'read_write').map(({ name }) => name);
  let batch: SlotBindings[] = [];
  for (const slot of slots) {
    const fits = batch.length < kernel.const('SLOTS') && canShare(batch, slot);
    if (batch.length > 0 && !(fits && isDisjoint(batch, slot, written))) {
      yield batch;
      batch = [];
    }
    batch.push(slot);
  }
  if (batch.length > 0) yield batch;
}

function canShare(batch: readonly SlotBindings[], slot: SlotBindings): boolean {
  const most = device().limits.maxStorageBufferBindingSize;
  return Object.entries(slot.shared).every(
    ([name, memory]) =>
      batch.every(({ shared }) => storageOf(shared[name] as Memory) === storageOf(memory)) &&
      (sharedRanges([...batch, slot])[name] as Memory).bytes <= most,
  );
}

/** Whether no slot reads or writes a storage that another one writes: WebGPU refuses such bindings in one dispatch. */
function isDisjoint(batch: readonly SlotBindings[], slot: SlotBindings, written: readonly string[]): boolean {
  const writes = ({ perSlot }: SlotBindings) =>
    Object.entries(perSlot).flatMap(([name, memory]) => (written.includes(`${name}0`) ? [storageOf(memory)] : []));
  const uses = ({ perSlot }: SlotBindings) => Object.values(perSlot).map(storageOf);
  return batch.every(
    (other) =>
      !writes(other).some((storage) => uses(slot).includes(storage)) &&
      !writes(slot).some((storage) => uses(other).includes(storage)),
  );
}

/** For each shared name, the smallest range that covers all slots and can be bound. */
function sharedRanges(batch: readonly SlotBindings[]): Readonly<Record<string, Memory>> {
  const [first] = batch as [SlotBindings];
  return mapValues(first.shared, (memory, name) => {
    const ranges = batch.map(({ shared }) => shared[name] as Memory);
    const start = Math.min(...ranges.map(({ byteOffset }) => byteOffset));
    const end = Math.max(...ranges.map(({ byteOffset, bytes }) => byteOffset + bytes));
    const byteOffset = Math.floor(start / alignment) * alignment;
    return memoryRange(storageOf(memory), byteOffset, end - byteOffset);
  });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
