// Adapters, as another process finds them: the default device of this one is made already.
import { spawnSync } from 'node:child_process';
import { ensure, startCheck } from '@mien/tensor/testing';
import { create, globals } from 'webgpu';
import { test } from '../harness.ts';

interface Found {
  readonly problem: string | null;
  readonly adapters: readonly { readonly name: string; readonly used: boolean; readonly knownAnswer: string }[];
}

/** What `npm run doctor -- --json` says in an environment. */
function doctor(environment: Readonly<Record<string, string>>): {
  readonly code: number | null;
  readonly found: Found;
} {
  const env = { ...process.env, MIEN_ADAPTER: '', ...environment };
  const { status, stdout } = spawnSync(process.execPath, ['scripts/doctor.mjs', '--json'], { env, encoding: 'utf8' });
  return { code: status, found: JSON.parse(stdout) as Found };
}

test('init finds an adapter that computes', () => {
  const { code, found } = doctor({});
  ensure(code === 0 && found.problem === null, `doctor ended with ${code}: ${found.problem}`);
  ensure(found.adapters.filter(({ used }) => used).length === 1, 'one adapter is used');
  ensure(
    found.adapters.every(({ knownAnswer }) => knownAnswer === 'right'),
    'each gives the known answer',
  );
});

const noEmbedded =
  process.platform === 'linux' && process.arch === 'x64' ? undefined : 'SwiftShader is embedded on Linux x64 only';

test(
  'init uses the adapter that MIEN_ADAPTER names',
  () => {
    const { found } = doctor({ MIEN_ADAPTER: 'SWIFTsh' });
    ensure(found.adapters.find(({ used }) => used)?.name === 'SwiftShader', JSON.stringify(found.adapters));
  },
  { skip: noEmbedded },
);

test(
  'init uses the embedded SwiftShader on a machine without a Vulkan driver',
  () => {
    const { code, found } = doctor({ VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' });
    ensure(code === 0 && found.adapters.map(({ name }) => name).join() === 'SwiftShader', JSON.stringify(found));
  },
  { skip: noEmbedded },
);

test('init lists what was found when the name is unknown', () => {
  const { code, found } = doctor({ MIEN_ADAPTER: 'abacus' });
  const names = found.adapters.map(({ name }) => name);
  ensure(code === 1 && (found.problem ?? '').startsWith('init: no adapter named abacus; found '), `${found.problem}`);
  ensure(names.length > 0 && names.every((name) => (found.problem ?? '').includes(name)), `${found.problem}`);
});

/** Dawn crashes when what `create` made is collected before what came of it: neither is, while this process lives. */
const kept: unknown[] = [];

test("startCheck reports that Dawn's Null backend computes nothing", async () => {
  Object.assign(globalThis, globals);
  const root = create(['backend=null']);
  const adapter = await root.requestAdapter();
  const gpu = await adapter?.requestDevice();
  kept.push(root, adapter, gpu);
  ensure(gpu !== undefined, 'Dawn has a Null backend');
  const wrong = await startCheck(gpu, null);
  ensure(wrong?.kind === 'host writes and reads', `found ${wrong?.kind}: ${wrong?.detail}`);
});
