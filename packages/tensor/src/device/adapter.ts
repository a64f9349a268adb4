// Chooses an adapter: the first that answers, or the one that was asked for.
import { adapters, environmentChoice, remedy } from '#gpu';
import { DeviceError } from '../errors.ts';

/** What is known of an adapter: who made it and what it can do. */
export interface AdapterFacts {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The driver's own words. */
  readonly description: string;
  /** Computes on the processor: a fallback adapter, or one of the known software drivers. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly subgroupSize: { readonly min: number; readonly max: number } | null;
}

/**
 * The best adapter, or the first whose name contains `wanted`, by default the environment's; `toggles` are Dawn's. Throws
 * DeviceError with what was found.
 */
export async function openAdapter(wanted: string | undefined, toggles?: readonly string[]): Promise<GPUAdapter> {
  const word = (wanted ?? environmentChoice())?.toLowerCase();
  const found = new Set<string>();
  for await (const adapter of adapters(toggles)) {
    if (isNull(adapter)) continue;
    const facts = factsOf(adapter);
    if (word === undefined || isNamed(facts, word)) return adapter;
    const { name, description } = facts;
    found.add(name === description || description === '' ? name : `${name} (${description})`);
  }
  if (found.size > 0) throw new DeviceError(`init: no adapter named ${word}; found ${[...found].join(', ')}`);
  throw new DeviceError(`init: no WebGPU adapter found; ${remedy()}`);
}

/** Whether an adapter says `word` of itself. */
export function isNamed({ name, vendor, architecture, description }: AdapterFacts, word: string): boolean {
  return [name, vendor, architecture, description].join(' ').toLowerCase().includes(word.toLowerCase());
}

/** What an adapter says of itself. */
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
    limits: limitsOf(adapter.limits),
    subgroupSize: subgroups ? { min: subgroupMinSize, max: subgroupMaxSize } : null,
  };
}

/** Each limit by its name; they are getters of a prototype, which a copy would lose. */
export function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const named: Record<string, number> = {};
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') named[name] = value;
  }
  return named;
}

/** The two software drivers are known by names that they do not print: Mesa's llvmpipe is lavapipe. */
function softwareDriver(words: string): string | null {
  if (/llvmpipe/i.test(words)) return 'lavapipe';
  if (/swiftshader/i.test(words)) return 'SwiftShader';
  return null;
}

/** Dawn's Null backend accepts everything and computes nothing. */
function isNull(adapter: GPUAdapter): boolean {
  return /null.?backend/i.test([adapter.info.device, adapter.info.description].join(' '));
}

/** The size of all subgroups, or null where there are none or several sizes. */
export function subgroupLanes({ subgroupSize }: AdapterFacts): number | null {
  return subgroupSize && subgroupSize.min === subgroupSize.max ? subgroupSize.max : null;
}
