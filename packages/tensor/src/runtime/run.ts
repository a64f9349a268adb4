import { expectOptions, kindOf } from '../arguments.ts';
import { type DType, wgslType } from '../dtype.ts';
import { DtypeError, KernelError, LimitError } from '../errors.ts';
import type { BoundRange, DeviceRuntime, Grid } from './device.ts';
import { Kernel } from './kernel.ts';
import { bindingUnit, type Limits } from './limits.ts';
import { currentRecording, Live } from './live.ts';
import { type Memory, MemoryRange, storageOf } from './memoryRange.ts';
import type { LiveParam } from './recording.ts';
import { TensorBase } from './tensorBase.ts';
import { type Params, packParams, type Scalar } from './wgsl.ts';
import type { Work } from './work.ts';

/**
 * Appends one dispatch of `groups` workgroups, with `bindings` (inputs and outputs) and `params` by WGSL name. A null binding
 * gets a dummy of 16 bytes, which the kernel must not use. Commands run at a host read or a budget. `work` describes the
 * dispatch for the profiler. Throws KernelError for a name or a count that the kernel does not have, DtypeError for a tensor
 * of another dtype than the binding's, LimitError for a binding over the limit.
 */
export function run(
  kernel: Kernel,
  bindings: Readonly<Record<string, Memory | null>>,
  params: Params,
  groups: number,
  work: Work | null = null,
): void {
  if (!(kernel instanceof Kernel)) throw new KernelError(`run: kernel must be made by kernel(), got ${kindOf(kernel)}`);
  expectOptions(kernel.label, bindings);
  expectOptions(kernel.label, params);
  let device: DeviceRuntime | null = null;
  const bound: (BoundRange | null)[] = [];
  for (const { name, scalar } of kernel.bindings) {
    const memory = bindings[name];
    if (memory === undefined) throw new KernelError(`${kernel.label}: binding ${name} is missing; pass a tensor`);
    if (memory && !(memory instanceof TensorBase || memory instanceof MemoryRange))
      throw new KernelError(`${kernel.label}: binding ${name} must be a tensor, got ${kindOf(memory)}`);
    if (memory?.dtype && scalar && scalar !== wgslType[memory.dtype])
      throw wrongType(kernel, name, scalar, memory.dtype);
    const range = memory && rangeOf(kernel, name, memory);
    device ??= range?.storage.device ?? null;
    bound.push(range);
  }
  for (const name of Object.keys(bindings)) {
    if (!kernel.bindings.some((binding) => binding.name === name)) {
      throw new KernelError(`${kernel.label}: no binding named ${name}`);
    }
  }
  if (!device) throw new KernelError(`${kernel.label}: needs at least one tensor`);
  const block = kernel.params ? packParams(kernel.label, kernel.params, params) : null;
  const grid = gridOf(kernel.label, groups, device.limits);
  device.dispatch(kernel, bound, block, grid, work, liveParams(kernel, params));
}

function wrongType(kernel: Kernel, name: string, scalar: Scalar, dtype: DType): DtypeError {
  const [dtypeName] = Object.entries(wgslType).find(([, type]) => type === scalar) ?? [];
  return new DtypeError(
    `${kernel.label}: binding ${name} expects ${scalar}, got ${dtype}; convert with to('${dtypeName}'), or declare the binding as \`bits\` (alias bits = u32;)`,
  );
}

/** The live params, if a captured function is being recorded. */
function liveParams(kernel: Kernel, params: Params): readonly LiveParam[] {
  if (!currentRecording() || !kernel.params) return [];
  return kernel.params.params.flatMap((param) => {
    const value = params[param.name];
    return value instanceof Live ? [{ param, live: value }] : [];
  });
}

function rangeOf(kernel: Kernel, name: string, memory: Memory): BoundRange {
  const bytes = Math.ceil(memory.bytes / bindingUnit) * bindingUnit;
  const storage = storageOf(memory);
  const limit = storage.device.limits.maxStorageBufferBindingSize;
  if (bytes > limit) {
    throw new LimitError(
      `${kernel.name}: ${name} has ${memory.bytes} bytes, but this adapter binds at most ${limit}; use a smaller batch`,
    );
  }
  return { storage, byteOffset: memory.byteOffset, bytes };
}

/**
 * Lays out at least `groups` workgroups in x, y and z within the limit on each: y and z are as small as the limit allows, and
 * fewer than y z workgroups are unused.
 */
export function gridOf(name: string, groups: number, limits: Limits): Grid {
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (!Number.isInteger(groups) || groups < 1)
    throw new KernelError(`${name}: groups must be a positive integer, got ${groups}`);
  const z = Math.ceil(groups / (most * most));
  const y = Math.ceil(groups / (most * z));
  const x = Math.ceil(groups / (y * z));
  if (z > most) throw new LimitError(`${name}: ${groups} workgroups are more than ${most} in each of x, y and z`);
  return [x, y, z];
}
