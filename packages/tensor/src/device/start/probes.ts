// The kernels of the start check.
import { exchangeProbe } from './exchange.ts';
import { floatProbe } from './floats.ts';
import { flowProbe } from './flow.ts';
import { halfProbe } from './halves.ts';
import { integerProbe } from './integers.ts';
import type { Probe } from './probe.ts';
import { shuffleProbe } from './shuffle.ts';

/** Every probe that a device with these features can run. `lanes` is the subgroup size, or null. */
export function probes(features: GPUSupportedFeatures, lanes: number | null): readonly Probe[] {
  return [
    floatProbe(),
    integerProbe(),
    flowProbe(),
    exchangeProbe(),
    ...(features.has('subgroups') && lanes !== null ? [shuffleProbe(lanes)] : []),
    ...(features.has('shader-f16') ? [halfProbe()] : []),
  ];
}
