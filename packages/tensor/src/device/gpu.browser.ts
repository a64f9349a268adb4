// Adapters in a browser, which offers one and its fallback.
import { ValueError } from '../errors.ts';

/** The environment's choice of an adapter: none in a browser. */
export function environmentChoice(): string | undefined {
  return undefined;
}

/** The browser's adapter, then its software fallback. Throws ValueError for toggles, which a page cannot set. */
export async function* adapters(toggles?: readonly string[]): AsyncGenerator<GPUAdapter, void, undefined> {
  if (toggles?.length) {
    throw new ValueError(
      `init: expected no Dawn toggles in a browser, got '${toggles[0]}'; start the browser with them`,
    );
  }
  const { gpu } = navigator as { readonly gpu?: GPU };
  const best = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (best) yield best;
  const fallback = await gpu?.requestAdapter({ forceFallbackAdapter: true });
  if (fallback) yield fallback;
}

/** What to do if there is no adapter. */
export function remedy(): string {
  return 'use a browser with WebGPU, on a page served from https or localhost';
}
