// Faults of an adapter, put between Dawn and Mien: methods of WebGPU's classes are replaced and restored, so that the code
// that is tested knows nothing of them.

/** One way in which an adapter can be wrong. */
export interface Fault {
  readonly name: string;
  readonly kind: 'text' | 'results' | 'dispatches' | 'reads' | 'bindings' | 'params' | 'copies';
  /** Puts the fault in place; the returned function removes it. */
  readonly install: () => () => void;
}

/** Replaces `name` of a WebGPU class (`GPUDevice`, ...) by what `wrap` makes of the original. Returns what restores it. */
export function replace<F>(className: string, name: string, wrap: (original: F) => F): () => void {
  const made = (globalThis as unknown as Record<string, { prototype: Record<string, unknown> }>)[className];
  if (!made) throw new TypeError(`replace: no class ${className}; call init() first`);
  const original = made.prototype[name] as F;
  made.prototype[name] = wrap(original);
  return () => {
    made.prototype[name] = original;
  };
}

/** Installs several replacements as one. */
export function all(...installed: readonly (() => void)[]): () => void {
  return () => {
    for (const restore of installed) restore();
  };
}

/** Runs `fn` while the adapter has `fault`. */
export async function withFault<T>(fault: Fault | null, fn: () => T | Promise<T>): Promise<T> {
  const restore = fault?.install() ?? (() => {});
  try {
    return await fn();
  } finally {
    restore();
  }
}

// Methods of WebGPU that faults replace.
export type Dispatch = (this: GPUComputePassEncoder, x: number, y?: number, z?: number) => void;
export type SetGroup = (
  this: GPUComputePassEncoder,
  index: number,
  group: GPUBindGroup,
  offsets?: Iterable<number>,
) => void;
export type CreateGroup = (this: GPUDevice, descriptor: GPUBindGroupDescriptor) => GPUBindGroup;
export type WriteBuffer = (
  this: GPUQueue,
  buffer: GPUBuffer,
  offset: number,
  data: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
  from?: number,
  size?: number,
) => void;
export type CopyBuffer = (
  this: GPUCommandEncoder,
  from: GPUBuffer,
  fromOffset: number,
  to: GPUBuffer,
  toOffset: number,
  bytes: number,
) => void;
export type SetPipeline = (this: GPUComputePassEncoder, pipeline: GPUComputePipeline) => void;
