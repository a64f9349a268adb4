// Chooses an adapter: the first one, or the one that is requested by name.
import { adapters, environmentChoice, remedy } from '#gpu';
import { DeviceError } from '../errors.ts';

/** An adapter's identity, features and limits. */
export interface AdapterFacts {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The driver's description. */
  readonly description: string;
  /** Whether it computes on the processor: a fallback adapter, or one of the known software drivers. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly subgroupSize: { readonly min: number; readonly max: number } | null;
}

/**
 * The best adapter, or the first whose name contains `wanted`, by default MIEN_ADAPTER; `toggles` are Dawn's. Throws DeviceError,
 * listing the adapters, if there is none.
 */
export async function openAdapter(wanted: string | undefined, toggles?: readonly string[]): Promise<GPUAdapter> {
  const part = (wanted ?? environmentChoice())?.toLowerCase();
  const others = new Set<string>();
  for await (const adapter of adapters(toggles)) {
    if (isNull(adapter)) continue;
    const facts = factsOf(adapter);
    if (part === undefined || isNamed(facts, part)) return adapter;
    const { name, description } = facts;
    others.add(name === description || description === '' ? name : `${name} (${description})`);
  }
  if (others.size > 0) throw new DeviceError(`init: no adapter named ${part}; found ${[...others].join(', ')}`);
  throw new DeviceError(`init: no WebGPU adapter found; ${remedy()}`);
}

/** Whether an adapter's name, vendor, architecture or description contains `part`, in any case. */
export function isNamed({ name, vendor, architecture, description }: AdapterFacts, part: string): boolean {
  return [name, vendor, architecture, description].join(' ').toLowerCase().includes(part.toLowerCase());
}

/** The facts that an adapter reports. */
export function factsOf(adapter: GPUAdapter): AdapterFacts {
  const { vendor, architecture, device, description, isFallbackAdapter, subgroupMinSize, subgroupMaxSize } =
    adapter.info;
  const subgroups = adapter.features.has('subgroups');
  const driver = softwareDriver([architecture, device, description].join(' '));
  return {
    name: driver ?? (description || device || [vendor, architecture].join(' ').trim() || 'unnamed'),
    vendor,
    architecture,
    description,
    software: isFallbackAdapter || driver !== null,
    features: [...adapter.features].sort(),
    limits: namedLimits(adapter.limits),
    subgroupSize: subgroups ? { min: subgroupMinSize, max: subgroupMaxSize } : null,
  };
}

/** Limits by name; they are getters of a prototype, which a spread would not copy. */
export function namedLimits(limits: GPUSupportedLimits): Record<string, number> {
  const named: Record<string, number> = {};
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') named[name] = value;
  }
  return named;
}

/** The common name of a software driver, which its description does not contain: Mesa's llvmpipe is lavapipe. */
function softwareDriver(description: string): string | null {
  if (/llvmpipe/i.test(description)) return 'lavapipe';
  if (/swiftshader/i.test(description)) return 'SwiftShader';
  return null;
}

/** Dawn's Null backend accepts everything and computes nothing. */
function isNull(adapter: GPUAdapter): boolean {
  return /null.?backend/i.test([adapter.info.device, adapter.info.description].join(' '));
}

/** The subgroup size, or null if there are no subgroups or several sizes. */
export function subgroupLanes({ subgroupSize }: AdapterFacts): number | null {
  return subgroupSize && subgroupSize.min === subgroupSize.max ? subgroupSize.max : null;
}
