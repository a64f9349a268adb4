// Where adapters come from in Node: what the system's drivers offer, then an embedded SwiftShader.
import { isMainThread } from 'node:worker_threads';
import { create, globals } from 'webgpu';
import { environmentToggles, toggleOptions } from './dawn.node.ts';
import { waitPatiently } from './patience.node.ts';
import { embeddedSwiftShader, mapAsLoader, withDriver } from './swiftshader.node.ts';

/** Dawn crashes when the object that `create` made is collected while anything of it is in use. */
const roots: GPU[] = [];

/** What the environment asks for, in the form that `init({ adapter })` takes. */
export function environmentChoice(): string | undefined {
  return process.env.MIEN_ADAPTER || undefined;
}

/**
 * Adapters, best first: Dawn's choice, the system's others, then the embedded SwiftShader where it is installed. Each is
 * opened when it is asked for, and one may come twice. `toggles` are Dawn's, by default those of the environment. Throws
 * ValueError for an unknown toggle.
 */
export async function* adapters(toggles?: readonly string[]): AsyncGenerator<GPUAdapter, void, undefined> {
  Object.assign(globalThis, globals);
  const request = requestWith(toggleOptions(toggles ?? environmentToggles()));
  waitPatiently();
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

/** What to do where there is no adapter. */
export function remedy(): string {
  const install = 'install a Vulkan driver (Debian: mesa-vulkan-drivers 23 or later, and libvulkan1)';
  if (process.platform !== 'linux' || process.arch !== 'x64') return install;
  if (embeddedSwiftShader() && !isMainThread) {
    return 'in a worker thread, call init() in the main thread first, or start the worker with { env: SHARE_ENV }';
  }
  return `${install}, or use a driver in software: npm install @sparticuz/chromium@147.0.0`;
}

/** Found out once, before the embedded driver brings a loader of its own. */
let systemHasLoader: boolean | null = null;

/** Without Vulkan's loader Dawn would find nothing on Linux, and print a warning with a stack for it. */
function hasVulkanLoader(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
    return true;
  } catch (reason) {
    return !String(reason).includes('cannot open shared object file'); // else it is there, but no Node module
  }
}

/** Requests an adapter from a Dawn of its own. */
type Request = (...options: string[]) => Promise<GPUAdapter | null>;

/** Dawn sorts what the system offers for this preference: discrete, then integrated, then software. */
function requestWith(toggles: readonly string[]): Request {
  return (...options) => {
    const root = create([...options, ...toggles]);
    roots.push(root);
    return root.requestAdapter({ powerPreference: 'high-performance' });
  };
}

/** Dawn lists what it found only when it is asked for what is not there. */
async function systemNames(request: Request): Promise<string[]> {
  try {
    await request('adapter=none of these');
    return [];
  } catch (reason) {
    return [...String(reason).matchAll(/name: '(.*)'/g)].map(([, name]) => name as string);
  }
}
