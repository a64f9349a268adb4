// Adapters in Node: those of the system's drivers, then an embedded SwiftShader.
import { isMainThread } from 'node:worker_threads';
import { create, globals } from 'webgpu';
import { environmentToggles, toggleOptions } from './dawn.node.ts';
import { throttleDawnPolling } from './dawnPolling.node.ts';
import { embeddedSwiftShader, mapAsLoader, withDriver } from './swiftshader.node.ts';

/** Dawn crashes if an object that `create` returned is garbage-collected while its adapters are in use. */
const roots: GPU[] = [];

/** The environment's MIEN_ADAPTER, as `init({ adapter })` takes it. */
export function environmentChoice(): string | undefined {
  return process.env.MIEN_ADAPTER || undefined;
}

/**
 * Adapters, best first: Dawn's choice, the other ones of the system, then the embedded SwiftShader if installed. Each is opened
 * when the generator reaches it; one may occur twice. `toggles` are Dawn's, by default those of MIEN_DAWN. Throws ValueError for
 * an unknown toggle.
 */
export async function* adapters(toggles?: readonly string[]): AsyncGenerator<GPUAdapter, void, undefined> {
  Object.assign(globalThis, globals);
  const request = requestWith(toggleOptions(toggles ?? environmentToggles()));
  throttleDawnPolling();
  systemHasLoader ??= hasVulkanLoader();
  const best = systemHasLoader ? await request() : null;
  if (best) yield best;
  for (const name of best ? await systemNames(request) : []) {
    const other = await request(`adapter=${name}`);
    if (other) yield other;
  }
  const embedded = embeddedSwiftShader();
  if (!embedded) return;
  if (!systemHasLoader) mapAsLoader(embedded);
  const last = systemHasLoader ? await withDriver(embedded, best === null, request) : await request();
  if (last) yield last;
}

/** What to do if there is no adapter. */
export function remedy(): string {
  const install = 'install a Vulkan driver (Debian: mesa-vulkan-drivers 23 or later, and libvulkan1)';
  if (process.platform !== 'linux' || process.arch !== 'x64') return install;
  if (embeddedSwiftShader() && !isMainThread) {
    return 'in a worker thread, call init() in the main thread first, or start the worker with { env: SHARE_ENV }';
  }
  return `${install}, or use a driver in software: npm install @sparticuz/chromium@147.0.0`;
}

/** Determined once, before the embedded driver adds a loader. */
let systemHasLoader: boolean | null = null;

/** Without Vulkan's loader, Dawn finds nothing on Linux and prints a warning with a stack trace. */
function hasVulkanLoader(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
    return true;
  } catch (reason) {
    return !String(reason).includes('cannot open shared object file'); // otherwise it exists, but is no Node module
  }
}

/** Requests an adapter from a new Dawn instance. */
type Request = (...options: string[]) => Promise<GPUAdapter | null>;

/** With this preference Dawn sorts adapters: discrete, then integrated, then software. */
function requestWith(toggles: readonly string[]): Request {
  return (...options) => {
    const root = create([...options, ...toggles]);
    roots.push(root);
    return root.requestAdapter({ powerPreference: 'high-performance' });
  };
}

/** Dawn lists the adapters only in the error for one that does not exist. */
async function systemNames(request: Request): Promise<string[]> {
  try {
    await request('adapter=none of these');
    return [];
  } catch (reason) {
    return [...String(reason).matchAll(/name: '(.*)'/g)].map(([, name]) => name as string);
  }
}
