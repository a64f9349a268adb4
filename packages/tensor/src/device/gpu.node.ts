// Where adapters come from in Node: what the system's drivers offer, then an embedded SwiftShader.
import { create, globals } from 'webgpu';
import { waitPatiently } from './patience.node.ts';
import { embeddedSwiftShader, withDriver } from './swiftshader.node.ts';

/** Dawn crashes when the object that `create` made is collected while anything of it is in use. */
const roots: GPU[] = [];

/** What the environment asks for, in the form that `init({ adapter })` takes. */
export function environmentChoice(): string | undefined {
  return process.env.MIEN_ADAPTER || undefined;
}

/**
 * Adapters, best first: Dawn's choice, the system's others, then the embedded SwiftShader where it is installed. Each is
 * opened when it is asked for, and one may come twice.
 */
export async function* adapters(): AsyncGenerator<GPUAdapter, void, undefined> {
  Object.assign(globalThis, globals);
  waitPatiently();
  systemHasLoader ??= hasVulkanLoader();
  const best = systemHasLoader ? await request() : null;
  if (best) yield best;
  for (const name of best ? await systemNames() : []) {
    const other = await request(`adapter=${name}`);
    if (other) yield other;
  }
  const embedded = embeddedSwiftShader();
  const last = embedded ? await withDriver(embedded, request) : null;
  if (last) yield last;
}

/** What to do where there is no adapter. */
export const remedy: string =
  'install a Vulkan driver (Debian: mesa-vulkan-drivers 23 or later and libvulkan1), or, on Linux x64, npm package @sparticuz/chromium 147.0.0, whose SwiftShader is then used';

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

/** Dawn sorts what the system offers for this preference: discrete, then integrated, then software. */
async function request(...options: string[]): Promise<GPUAdapter | null> {
  const root = create([...options, 'disable-dawn-features=timestamp_quantization']);
  roots.push(root);
  return root.requestAdapter({ powerPreference: 'high-performance' });
}

/** Dawn lists what it found only when it is asked for what is not there. */
async function systemNames(): Promise<string[]> {
  try {
    await request('adapter=none of these');
    return [];
  } catch (reason) {
    return [...String(reason).matchAll(/name: '(.*)'/g)].map(([, name]) => name as string);
  }
}
