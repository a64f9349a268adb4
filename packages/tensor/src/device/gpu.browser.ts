// Where adapters come from in a browser: it finds one, and says nothing of others.
import { ValueError } from '../errors.ts';

/** What the environment asks for: nothing here. */
export function environmentChoice(): string | undefined {
  return undefined;
}

/** The browser's adapter, then its fallback in software. Throws ValueError for toggles, which a page cannot set. */
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

/** What to do where there is no adapter. */
export function remedy(): string {
  return 'use a browser with WebGPU, on a page served from https or localhost';
}
