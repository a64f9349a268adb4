// Where adapters come from in a browser: it finds one, and says nothing of others.

/** What the environment asks for: nothing here. */
export function environmentChoice(): string | undefined {
  return undefined;
}

/** The browser's adapter, then its fallback in software. */
export async function* adapters(): AsyncGenerator<GPUAdapter, void, undefined> {
  const { gpu } = navigator as { readonly gpu?: GPU };
  const best = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (best) yield best;
  const fallback = await gpu?.requestAdapter({ forceFallbackAdapter: true });
  if (fallback) yield fallback;
}

/** What to do where there is no adapter. */
export const remedy: string = 'use a browser with WebGPU, on a page served from https or localhost';
