// @ts-nocheck: the peers are not installed with the workspace
// Defines `navigator.gpu` and WebGPU's globals for a peer, with the adapter that Mien chooses.
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

/** The adapter's name. */
export { name as adapterName };
