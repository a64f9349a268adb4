// The published packages: packed by pnpm, installed by npm into an empty project as docs/install.md says, and used there.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { init } from '@mien/tensor';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { NO_EMBEDDED, start, WITHOUT_VULKAN, withFolder } from './kit.ts';

const PACKAGES = ['tensor', 'nn', 'fer'];
const EMBEDDED = '@sparticuz/chromium@147.0.0';

function run(command: string, args: readonly string[], cwd: string, environment: Record<string, string> = {}): string {
  const { code, out, err } = start(command, args, environment, cwd);
  assert.is(code, 0, `${command} ${args.join(' ')}\n${out}${err}`);
  return out;
}

const npm = (project: string, ...packages: readonly string[]): string =>
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], project);

test(
  'the packed packages work in a project of their own: the library, its types and the command, with a driver and without',
  () =>
    withFolder(async (project) => {
      for (const name of PACKAGES) {
        const args = ['scripts/pnpm.mjs', '--filter', `@mien/${name}`, 'pack', '--pack-destination', project];
        run(process.execPath, args, resolve('.'));
      }
      writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');
      npm(project, ...readdirSync(project).flatMap((file) => (file.endsWith('.tgz') ? `./${file}` : [])));
      const fer = join(project, 'node_modules', '@mien', 'fer');
      assert.ok(existsSync(join(fer, 'dist', 'index.d.ts')) && existsSync(join(fer, 'LICENSE')));
      const program =
        "import { init, tensor } from '@mien/tensor';\nimport { Linear } from '@mien/nn';\nawait init();\nconst y = new Linear(2, 1).forward(tensor([[1, 2]]));\nconsole.log(y.shape.join(), Number.isFinite(await y.item()));\n";
      writeFileSync(join(project, 'own.mjs'), program);
      const entries = ['@mien/tensor', '@mien/tensor/internal', '@mien/nn', '@mien/nn/safetensors', '@mien/nn/files'];
      const others = [...entries, '@mien/nn/checkpoint', '@mien/nn/pytorch', '@mien/fer', '@mien/fer/node'];
      const imports = others.map((entry, i) => `export * as entry${i} from '${entry}';\n`).join('');
      writeFileSync(join(project, 'typed.mts'), program + imports);
      const tsc = [resolve('node_modules/typescript/bin/tsc'), '--strict', '--noEmit', '--target', 'es2022'];
      for (const module of ['nodenext', 'esnext']) {
        const options = ['--module', module, '--moduleResolution', module === 'esnext' ? 'bundler' : module];
        run(process.execPath, [...tsc, ...options, '--types', '', '--skipLibCheck', 'false', 'typed.mts'], project);
      }
      const numbers = /^1,1 true$/m;
      const { facts } = await init();
      if (facts.name !== 'SwiftShader') assert.match(run(process.execPath, ['own.mjs'], project), numbers);
      if (NO_EMBEDDED) return;

      // Without a driver the error names the package to install; with it the same program runs.
      const refused = start(process.execPath, ['own.mjs'], WITHOUT_VULKAN, project);
      assert.is(refused.code, 1);
      assert.match(
        refused.err,
        `DeviceError: init: no WebGPU adapter found; install a Vulkan driver (Debian: mesa-vulkan-drivers 23 or later, and libvulkan1), or use a driver in software: npm install ${EMBEDDED}`,
      );
      npm(project, EMBEDDED);
      assert.match(run(process.execPath, ['own.mjs'], project, WITHOUT_VULKAN), numbers);

      const mien = join(project, 'node_modules', '.bin', 'mien');
      assert.match(run(mien, ['--version'], project), /^\d+\.\d+\.\d+$/m);
      const trained = run(
        mien,
        ['train', '--model', 'nano', '--stop-after', '1', '--out', 'run'],
        project,
        WITHOUT_VULKAN,
      );
      assert.match(trained, /stopped in epoch 1 after 1 steps/);
      assert.ok(existsSync(join(project, 'run', 'last.safetensors')));
      // The detector's weights are part of the package.
      writeFileSync(join(project, 'sky.png'), PNG.sync.write(new PNG({ width: 64, height: 64 })));
      assert.is(run(mien, ['predict', 'sky.png', '--weights', 'run'], project, WITHOUT_VULKAN), 'sky.png: no face\n');
    }),
  { seconds: 300 },
);
