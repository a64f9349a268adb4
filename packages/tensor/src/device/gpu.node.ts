// Where adapters come from in Node: what the system's drivers offer, then an embedded SwiftShader.
import { create, globals } from 'webgpu';
import type { AdapterSource } from './gpu.ts';
import { embeddedSwiftShader, withDriver } from './swiftshader.node.ts';

/** Dawn crashes when the object that `create` made is collected while anything of it is in use. */
const roots: GPU[] = [];

/** What the environment asks for, in the form that `init({ adapter })` takes. */
export function environmentChoice(): string | undefined {
  return process.env.MIEN_ADAPTER || undefined;
}

/** Adapters of the system, hardware first, then the embedded SwiftShader where it is installed. */
export function adapterSources(): readonly AdapterSource[] {
  Object.assign(globalThis, globals);
  const embedded = embeddedSwiftShader();
  const last: AdapterSource[] = embedded
    ? [{ name: 'SwiftShader, embedded', open: () => withDriver(embedded, () => request([])) }]
    : [];
  return [{ name: 'the system', open: openBest }, ...last];
}

/** What to do where there is no adapter. */
export const remedy: string =
  'install a Vulkan driver (Debian: mesa-vulkan-drivers 23 or later and libvulkan1), or, on Linux x64, npm package @sparticuz/chromium 147.0.0, whose SwiftShader is then used';

/** Dawn's own choice, unless that is software and the system has hardware too. */
async function openBest(): Promise<GPUAdapter | null> {
  const first = await request([]);
  if (!first?.info.isFallbackAdapter) return first;
  for (const name of await systemNames()) {
    const other = await request([`adapter=${name}`]);
    if (other && !other.info.isFallbackAdapter) return other;
  }
  return first;
}

async function request(options: readonly string[]): Promise<GPUAdapter | null> {
  const root = create([...options, 'disable-dawn-features=timestamp_quantization']);
  roots.push(root);
  return root.requestAdapter({ powerPreference: 'high-performance' });
}

/** Dawn lists its adapters only when it is asked for one that is not there. */
async function systemNames(): Promise<string[]> {
  try {
    await request(['adapter=none of these']);
    return [];
  } catch (reason) {
    return [...String(reason).matchAll(/name: '(.*)'/g)].map(([, name]) => name as string);
  }
}
