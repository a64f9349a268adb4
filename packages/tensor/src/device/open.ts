// Opens a device with all features that the adapter offers, and checks that it computes correctly.
import { DeviceError } from '../errors.ts';
import { type AdapterFacts, factsOf, namedLimits, openAdapter, subgroupLanes } from './adapter.ts';
import { startCheck } from './start/check.ts';

export type { AdapterFacts } from './adapter.ts';

/** Features that are requested if the adapter has them. */
const optionalFeatures: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/**
 * Opens the best adapter, or the first whose name contains `adapter` (`swiftshader`, `lavapipe`, part of a GPU's name), with
 * its limits. Throws DeviceError if there is none, if no name matches, or if the adapter fails the start check.
 */
export async function openDevice(
  options: { readonly adapter?: string; readonly dawn?: readonly string[] } = {},
): Promise<{ gpu: GPUDevice; facts: AdapterFacts }> {
  const adapter = await openAdapter(options.adapter, options.dawn);
  const facts = factsOf(adapter);
  const gpu = await adapter.requestDevice({
    requiredFeatures: optionalFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: namedLimits(adapter.limits),
  });
  const wrong = await startCheck(gpu, subgroupLanes(facts));
  if (wrong === null) return { gpu, facts };
  gpu.destroy();
  throw new DeviceError(
    `init: ${facts.name} failed the start check: ${wrong.kind} (${wrong.detail}); choose another adapter with init({ adapter }) or MIEN_ADAPTER, or update its driver`,
  );
}
