// Where adapters come from in a browser: it finds one, and says nothing of others.
import type { AdapterSource } from './gpu.ts';

/** What the environment asks for: nothing here. */
export function environmentChoice(): string | undefined {
  return undefined;
}

/** The browser's adapter, then its software fallback. */
export function adapterSources(): readonly AdapterSource[] {
  const { gpu } = navigator as { readonly gpu?: GPU };
  if (!gpu) return [];
  return [
    { name: 'the browser', open: () => gpu.requestAdapter({ powerPreference: 'high-performance' }) },
    { name: 'the browser, software', open: () => gpu.requestAdapter({ forceFallbackAdapter: true }) },
  ];
}

/** What to do where there is no adapter. */
export const remedy: string = 'use a browser with WebGPU, on a page served from https or localhost';
