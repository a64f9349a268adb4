// Adapters in a new process, because this one already has its default device.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { init } from '@mien/tensor';
import { startCheck } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { create, globals } from 'webgpu';
import { test } from '../harness.ts';
import { NO_EMBEDDED, start, WITHOUT_VULKAN, withFolder } from './kit.ts';

interface Found {
  readonly problem: string | null;
  readonly adapters: readonly { readonly name: string; readonly used: boolean; readonly startCheck: string }[];
}

/** The report of `npm run doctor -- --json` in an environment. */
function doctor(environment: Readonly<Record<string, string>>): {
  readonly code: number | null;
  readonly found: Found;
} {
  const { code, out } = start(process.execPath, ['scripts/doctor.mjs', '--json'], environment);
  return { code, found: JSON.parse(out) as Found };
}

test('a new process finds an adapter that computes', () => {
  const { code, found } = doctor({});
  ensure(code === 0 && found.problem === null, `doctor ended with ${code}: ${found.problem}`);
  ensure(found.adapters.filter(({ used }) => used).length === 1, 'one adapter is used');
  ensure(
    found.adapters.every(({ startCheck }) => startCheck === 'right'),
    'each passes the start check',
  );
});

test(
  'a new process uses the adapter that MIEN_ADAPTER names',
  () => {
    const { found } = doctor({ MIEN_ADAPTER: 'SWIFTsh' });
    ensure(found.adapters.find(({ used }) => used)?.name === 'SwiftShader', JSON.stringify(found.adapters));
  },
  { skip: NO_EMBEDDED },
);

test(
  'a new process uses the embedded SwiftShader on a machine without a Vulkan driver',
  () => {
    const { code, found } = doctor(WITHOUT_VULKAN);
    ensure(code === 0 && found.adapters.map(({ name }) => name).join() === 'SwiftShader', JSON.stringify(found));
  },
  { skip: NO_EMBEDDED },
);

test('a new process lists what was found when the name is unknown', () => {
  const { code, found } = doctor({ MIEN_ADAPTER: 'abacus' });
  const names = found.adapters.map(({ name }) => name);
  ensure(code === 1 && (found.problem ?? '').startsWith('init: no adapter named abacus; found '), `${found.problem}`);
  ensure(names.length > 0 && names.every((name) => (found.problem ?? '').includes(name)), `${found.problem}`);
});

/** Keeps adapter and device alive: Dawn crashes if the result of `create` is collected before them. */
const alive: unknown[] = [];

test("startCheck reports that Dawn's Null backend computes nothing", async () => {
  Object.assign(globalThis, globals);
  const root = create(['backend=null']);
  const adapter = await root.requestAdapter();
  const gpu = await adapter?.requestDevice();
  alive.push(root, adapter, gpu);
  ensure(gpu !== undefined, 'Dawn has a Null backend');
  const wrong = await startCheck(gpu, null);
  ensure(wrong?.kind === 'host writes and reads', `found ${wrong?.kind}: ${wrong?.detail}`);
});

/** The output of a program that opens a device with `toggles`. */
async function deviceWith(toggles: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  let printed = '';
  await withFolder((folder) => {
    const file = join(folder, 'program.ts');
    writeFileSync(
      file,
      `import { init } from '@mien/tensor';\nconst { facts } = await init(${toggles}).catch((reason) => ({ facts: { name: String(reason) } }));\nconsole.log(facts.name);\n`,
    );
    printed = start(process.execPath, ['scripts/run.mjs', file], environment).out.trim();
  });
  return printed;
}

test('a new process passes Dawn toggles of its caller or the environment on', async () => {
  for (const found of [
    await deviceWith("{ dawn: ['vulkan_enable_f16_on_nvidia', '-lazy_clear_resource_on_first_use'] }"),
    await deviceWith('', { MIEN_DAWN: 'enable_integer_range_analysis_in_robustness' }),
  ]) {
    ensure(found !== '' && !found.includes('Error'), found);
  }
});

test('a new process refuses Dawn toggles that this Dawn does not have, because Dawn would ignore them', async () => {
  const expected =
    "ValueError: init: expected names of Dawn toggles, got 'not_a_toggle', which this build of Dawn does not have; correct init({ dawn }) or MIEN_DAWN";
  for (const found of [
    await deviceWith("{ dawn: ['not_a_toggle'] }"),
    await deviceWith('', { MIEN_DAWN: 'dump_shaders,not_a_toggle' }),
  ]) {
    ensure(found === expected, found);
  }
});

test('init refuses other Dawn toggles than the default device has', async () => {
  let message = '';
  await init({ dawn: ['dump_shaders'] }).catch((reason) => {
    message = String(reason);
  });
  ensure(message.startsWith('DeviceError: init: the default device already exists'), message);
});
