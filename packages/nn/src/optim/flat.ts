import { type Kernel, run, type Tensor } from '@mien/tensor';

/**
 * Runs an elementwise `kernel` over tensors as arrays of vec4, LANES * VECTORS of them a group; the first tensor says how
 * many. The last vec4 may reach into a buffer's padding, whose content is arbitrary.
 */
export function runFlat(
  kernel: Kernel,
  tensors: Readonly<Record<string, Tensor | null>>,
  params: Readonly<Record<string, number>>,
): void {
  const [first] = Object.values(tensors) as [Tensor];
  const vectors = Math.ceil(first.size / 4);
  const { LANES = 1, VECTORS = 1 } = kernel.consts;
  run(kernel, tensors, { ...params, vectors }, Math.ceil(vectors / (LANES * VECTORS)));
}
