// What is published: packages packed as pnpm packs them, unpacked into an empty project, and used from there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const PACKAGES = ['tensor', 'nn', 'fer'];

function run(command: string, words: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  assert.is(status, 0, `${command} ${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Packs and unpacks to node_modules of `project`; packages of others are those of the workspace, so that nothing is downloaded. */
function install(project: string): void {
  const scope = join(project, 'node_modules', '@mien');
  mkdirSync(scope, { recursive: true });
  for (const name of PACKAGES) {
    run(
      process.execPath,
      ['scripts/pnpm.mjs', '--filter', `@mien/${name}`, 'pack', '--pack-destination', project],
      resolve('.'),
    );
    const tarball = readdirSync(project).find((file) => file.startsWith(`mien-${name}-`)) as string;
    run('tar', ['-xzf', tarball], project);
    run('mv', ['package', join(scope, name)], project);
    const others = resolve('packages', name, 'node_modules');
    const theirs = join(scope, name, 'node_modules');
    mkdirSync(theirs);
    for (const other of readdirSync(others)) {
      if (other !== '@mien' && !other.startsWith('.')) symlinkSync(join(others, other), join(theirs, other));
    }
  }
}

test(
  'the packed packages work in a project of their own: the library, its types and the command',
  () => {
    const project = mkdtempSync(join(tmpdir(), 'mien-packed-'));
    try {
      install(project);
      const fer = join(project, 'node_modules', '@mien', 'fer');
      assert.ok(existsSync(join(fer, 'dist', 'index.d.ts')) && existsSync(join(fer, 'LICENSE')));
      writeFileSync(
        join(project, 'own.mjs'),
        "import { init, tensor } from '@mien/tensor';\nimport { Linear } from '@mien/nn';\nawait init();\nconst y = new Linear(2, 1).forward(tensor([[1, 2]]));\nconsole.log(y.shape.join(), Number.isFinite(await y.item()));\n",
      );
      assert.match(run(process.execPath, ['own.mjs'], project), /^1,1 true$/m);
      const mien = join(fer, 'dist', 'cli', 'main.js');
      // As a shell runs it: by its first line.
      run('chmod', ['+x', mien], project);
      assert.match(run(mien, ['--version'], project), /^\d+\.\d+\.\d+$/m);
      const out = run(mien, ['train', '--model', 'nano', '--stop-after', '1', '--out', 'run'], project);
      assert.match(out, /stopped in epoch 1 after 1 steps/);
      assert.ok(existsSync(join(project, 'run', 'last.safetensors')));
      // The detector's weights come along.
      writeFileSync(join(project, 'sky.png'), PNG.sync.write(new PNG({ width: 64, height: 64 })));
      assert.is(run(mien, ['predict', 'sky.png', '--weights', 'run'], project), 'sky.png: no face\n');
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  },
  { seconds: 180 },
);
