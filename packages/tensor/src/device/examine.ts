// Lists the adapters and whether each passes the start check.
import { adapters, environmentChoice, remedy } from '#gpu';
import { expectOptions } from '../arguments.ts';
import { type AdapterFacts, factsOf, isNamed, namedLimits, subgroupLanes } from './adapter.ts';
import { openDevice } from './open.ts';
import { startCheck } from './start/check.ts';

/** One adapter. */
export interface AdapterReport extends AdapterFacts {
  /** Whether `init()` uses it. */
  readonly used: boolean;
  /** The result of the start check: `right`, or the kind of operation that failed and how. */
  readonly startCheck: string;
  /** Milliseconds of the start check, compilation included. */
  readonly startMilliseconds: number;
}

/** The adapters of this machine. */
export interface Examination {
  readonly adapters: readonly AdapterReport[];
  /** The adapter that is requested: the option, or the environment's MIEN_ADAPTER. */
  readonly asked: string | null;
  /** The error of `init()`, or null. */
  readonly problem: string | null;
}

/** Opens every adapter in the order of `init`, and runs the start check on each one whose name contains `adapter`. */
export async function examineAdapters(options: { readonly adapter?: string } = {}): Promise<Examination> {
  expectOptions('examineAdapters', options, ['adapter']);
  const asked = options.adapter ?? environmentChoice() ?? null;
  let problem: string | null = null;
  const used = await openDevice(options).catch((reason: unknown) => {
    problem = messageOf(reason);
    return null;
  });
  used?.gpu.destroy();
  const same = (a: AdapterFacts, b: AdapterFacts): boolean => a.name === b.name && a.description === b.description;
  const reports: AdapterReport[] = [];
  for await (const adapter of adapters()) {
    const facts = factsOf(adapter);
    if (reports.some((report) => same(report, facts))) continue;
    if (options.adapter !== undefined && !isNamed(facts, options.adapter)) continue;
    const start = performance.now();
    const result = await checkAdapter(adapter, facts);
    const startMilliseconds = Math.round(10 * (performance.now() - start)) / 10;
    reports.push({ used: used !== null && same(used.facts, facts), startCheck: result, startMilliseconds, ...facts });
  }
  if (reports.length === 0 && options.adapter === undefined) problem ??= `no WebGPU adapter; ${remedy}`;
  return { adapters: reports, asked, problem };
}

async function checkAdapter(adapter: GPUAdapter, facts: AdapterFacts): Promise<string> {
  const optional: readonly GPUFeatureName[] = ['shader-f16', 'subgroups'];
  const requiredFeatures = optional.filter((feature) => adapter.features.has(feature));
  const gpu = await adapter.requestDevice({ requiredFeatures, requiredLimits: namedLimits(adapter.limits) });
  try {
    const wrong = await startCheck(gpu, subgroupLanes(facts));
    return wrong ? `${wrong.kind}: ${wrong.detail}` : 'right';
  } catch (reason) {
    return messageOf(reason);
  } finally {
    gpu.destroy();
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
