// Bind groups of dispatches, cached by kernel and bound ranges.
import type { Compiled } from './pipelines.ts';
import type { ContentRange } from './storage.ts';
import type { Dispatch } from './stream.ts';

const cacheSize = 4096;
/** Bind groups between two hints to the garbage collector, and the bytes of a hint. */
const groupsPerHint = 1024;
const hintBytes = 64 << 20;

/** The bind groups of one device. */
export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #cache = new Map<string, GPUBindGroup>();
  /** Bound in place of null: a buffer for each position, since two writable bindings may not share one. */
  readonly #dummies: GPUBuffer[] = [];
  #count = 0;
  /** The last hint to the garbage collector. */
  hint: ArrayBuffer | null = null;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** The bind group of a command that is about to be encoded; `arena` has the parameters of those that are not replayed. */
  groupOf(command: Dispatch, arena: GPUBuffer): GPUBindGroup {
    const { compiled, bound, groups } = command;
    const key = keyOf(compiled, bound);
    if (groups) {
      command.group = groups.get(key) ?? this.#make(compiled, bound, command.arena?.buffer.gpu ?? null);
      groups.set(key, command.group);
      return command.group;
    }
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const group = this.#make(compiled, bound, arena);
    if (this.#cache.size >= cacheSize) this.#cache.clear();
    this.#cache.set(key, group);
    // Only the garbage collector frees bind groups, and it does not see what they hold outside of its heap: on lavapipe each
    // is a mapping, of which a process has 65,530. Memory that it does see, and that nothing touches, makes it run in time.
    if (++this.#count % groupsPerHint === 0) this.hint = new ArrayBuffer(hintBytes);
    return group;
  }

  /** Drops all cached groups, and with them the buffers and pipelines that they refer to. */
  clear(): void {
    this.#cache.clear();
  }

  #make(compiled: Compiled, bound: readonly (ContentRange | null)[], arena: GPUBuffer | null): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = compiled.kernel.bindings.map((binding, i) => {
      const range = bound[i];
      const resource = range
        ? { buffer: range.buffer.gpu, offset: range.byteOffset, size: range.bytes }
        : { buffer: this.#dummy(i) };
      return { binding: binding.index, resource };
    });
    if (compiled.kernel.params && arena) {
      entries.push({ binding: 0, resource: { buffer: arena, size: compiled.kernel.params.bytes } });
    }
    return this.#gpu.createBindGroup({ label: compiled.kernel.label, layout: compiled.layout, entries });
  }

  #dummy(position: number): GPUBuffer {
    const descriptor = { label: 'dummy', size: 16, usage: GPUBufferUsage.STORAGE };
    this.#dummies[position] ??= this.#gpu.createBuffer(descriptor);
    return this.#dummies[position];
  }
}

function keyOf({ kernel }: Compiled, bound: readonly (ContentRange | null)[]): string {
  let key = `${kernel.id}`;
  for (const range of bound) key += range ? `|${range.buffer.id},${range.byteOffset},${range.bytes}` : '|';
  return key;
}
