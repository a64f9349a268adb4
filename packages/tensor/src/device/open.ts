// A device that is known to compute: everything the adapter offers, and one kernel whose answer is known.
import text from '@mien/shaders/device/knownAnswer.wgsl';
import { DeviceError } from '../errors.ts';
import { type AdapterFacts, factsOf, limitsOf, openAdapter } from './adapter.ts';

export type { AdapterFacts } from './adapter.ts';

/** Asked for where the adapter has them. */
const useful: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/**
 * Opens the best adapter, or the one that `adapter` names in part (`swiftshader`, `lavapipe`, part of a GPU's name), with its
 * own limits. Throws DeviceError where there is none, where the name is unknown, or where the adapter computes wrongly.
 */
export async function openDevice(
  options: { readonly adapter?: string } = {},
): Promise<{ gpu: GPUDevice; facts: AdapterFacts }> {
  const adapter = await openAdapter(options.adapter);
  const facts = factsOf(adapter);
  const gpu = await adapter.requestDevice({
    requiredFeatures: useful.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limitsOf(adapter.limits),
  });
  const wrong = await checkKnownAnswer(gpu);
  if (wrong === null) return { gpu, facts };
  gpu.destroy();
  throw new DeviceError(
    `init: ${facts.name} computes wrongly (${wrong}); choose another adapter with init({ adapter }) or MIEN_ADAPTER, or update its driver`,
  );
}

/** Runs a kernel whose answer is known; gives null when it is right, else what is wrong with it. */
export async function checkKnownAnswer(gpu: GPUDevice): Promise<string | null> {
  const lanes = 64;
  const size = 4 * lanes;
  const y = gpu.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const staging = gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const module = gpu.createShaderModule({ label: 'knownAnswer', code: text });
  try {
    const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: y } }],
    });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, staging, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const found = new Float32Array(staging.getMappedRange());
    for (let i = 0; i < lanes; i++) {
      const hash = (Math.imul(lanes - 1 - i, 2654435761) + 12345) >>> 26;
      const expected = 0.5 * i + 64 * hash;
      if (found[i] !== expected) return `element ${i} is ${found[i]}, expected ${expected}`;
    }
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  } finally {
    y.destroy();
    staging.destroy();
  }
}
