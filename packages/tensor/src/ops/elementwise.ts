// Dispatch of elementwise kernels: over flat tensors, four elements at a time, in parts that can be bound.
import type { Kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { part, splitElements } from '../runtime/split.ts';
import type { TensorBase } from '../runtime/tensorBase.ts';
import type { Params } from '../runtime/wgsl.ts';

/**
 * Runs `kernel` over tensors of equal size, as arrays of vec4 with `params.vectors` of them; the kernel's consts LANES
 * and VECTORS give the number of vec4 per workgroup.
 */
export function runElementwise(
  kernel: Kernel,
  tensors: Readonly<Record<string, TensorBase>>,
  params: Params = {},
): void {
  const [first] = Object.values(tensors) as [TensorBase];
  for (const { start, count } of splitElements(first.size, deviceOf(first).limits)) {
    const bindings = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, part(tensor, 4 * start, 4 * count)]),
    );
    const vectors = Math.ceil(count / 4);
    const groups = Math.ceil(vectors / (kernel.const('LANES') * kernel.const('VECTORS')));
    run(kernel, bindings, { ...params, vectors }, groups);
  }
}
