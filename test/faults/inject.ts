// Injects adapter faults between Dawn and Mien by replacing methods of WebGPU's classes; the tested code is unchanged.

/** A fault of an adapter. */
export interface Fault {
  readonly name: string;
  readonly kind: 'text' | 'results' | 'dispatches' | 'reads' | 'bindings' | 'params' | 'copies';
  /** Installs the fault; the returned function removes it. */
  readonly install: () => () => void;
}

/** Replaces method `name` of a WebGPU class (`GPUDevice`, ...) by `wrap(original)`; the returned function restores it. */
export function replace<F>(className: string, name: string, wrap: (original: F) => F): () => void {
  const type = (globalThis as unknown as Record<string, { prototype: Record<string, unknown> }>)[className];
  if (!type) throw new TypeError(`replace: no class ${className}; call init() first`);
  const original = type.prototype[name] as F;
  type.prototype[name] = wrap(original);
  return () => {
    type.prototype[name] = original;
  };
}

/** Combines functions that restore methods. */
export function all(...restores: readonly (() => void)[]): () => void {
  return () => {
    for (const restore of restores) restore();
  };
}

/** Runs `fn` with `fault` installed. */
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
