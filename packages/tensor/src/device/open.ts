// A device that is known to compute: everything the adapter offers, and a check of each class of what it does.
import { DeviceError } from '../errors.ts';
import { type AdapterFacts, factsOf, limitsOf, openAdapter, subgroupLanes } from './adapter.ts';
import { startCheck } from './start/check.ts';

export type { AdapterFacts } from './adapter.ts';

/** Asked for where the adapter has them. */
const useful: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/**
 * Opens the best adapter, or the one that `adapter` names in part (`swiftshader`, `lavapipe`, part of a GPU's name), with its
 * own limits. Throws DeviceError where there is none, where the name is unknown, or where the adapter computes wrongly.
 */
export async function openDevice(
  options: { readonly adapter?: string; readonly dawn?: readonly string[] } = {},
): Promise<{ gpu: GPUDevice; facts: AdapterFacts }> {
  const adapter = await openAdapter(options.adapter, options.dawn);
  const facts = factsOf(adapter);
  const gpu = await adapter.requestDevice({
    requiredFeatures: useful.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limitsOf(adapter.limits),
  });
  const wrong = await startCheck(gpu, subgroupLanes(facts));
  if (wrong === null) return { gpu, facts };
  gpu.destroy();
  throw new DeviceError(
    `init: ${facts.name} failed the start check: ${wrong.kind} (${wrong.detail}); choose another adapter with init({ adapter }) or MIEN_ADAPTER, or update its driver`,
  );
}
