// @ts-nocheck: the peers are not installed with the workspace
// Gives a peer what a page has, `navigator.gpu` and the globals, with Mien's own choice of the adapter behind it.
import { cpus } from 'node:os';
import { factsOf, openAdapter } from '../../packages/tensor/src/device/adapter.ts';

const { name } = factsOf(await openAdapter());

const gpu = {
  requestAdapter: () => openAdapter(),
  getPreferredCanvasFormat: () => 'bgra8unorm',
  wgslLanguageFeatures: new Set(),
};
const navigator = { gpu, userAgent: 'Node', hardwareConcurrency: cpus().length };
Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });

/** What the adapter is called. */
export { name as adapterName };
