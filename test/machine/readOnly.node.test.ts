// A read-only checkout, as in a shared installation or a container: commands work, or report why they do not.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { type Ended, start, withFolder } from './kit.ts';

/** Runs a script while the checkout is mounted read-only in a mount namespace, with `hidden` replaced by empty folders. */
function readOnly(command: string, hidden: readonly string[] = []): Ended {
  const root = resolve('.');
  const mounts = [
    ...hidden.map((path) => `mount -t tmpfs none ${join(root, path)}`),
    `mount --bind ${root} ${root}`,
    ...hidden.map((path) => `mount -t tmpfs -o ro none ${join(root, path)}`),
    `mount -o remount,ro,bind ${root}`,
    `cd ${root}`,
  ];
  return start('unshare', ['-m', 'sh', '-c', [...mounts, `exec ${process.execPath} ${command}`].join(' && ')]);
}

const skip =
  process.getuid?.() === 0 && start('unshare', ['-m', 'true']).code === 0
    ? undefined
    : 'a read-only mount needs root and mount namespaces';

test(
  'mien works in a read-only checkout, before its bundle was made',
  () => {
    const { code, out, err } = readOnly('scripts/mien.mjs models', ['node_modules/.cache/mien/bundles']);
    ensure(code === 0 && out.includes('parameters'), `it ended with ${code}: ${out}${err}`);
  },
  { skip },
);

test(
  'a program in a read-only checkout finds packages and a device',
  () =>
    withFolder((folder) => {
      const program = join(folder, 'program.ts');
      writeFileSync(program, "import { init } from '@mien/tensor';\nconsole.log((await init()).facts.name);\n");
      const { code, out, err } = readOnly(`scripts/run.mjs ${program}`);
      ensure(code === 0 && out.trim() !== '', `it ended with ${code}: ${out}${err}`);
    }),
  { skip },
);

test(
  'scripts report a read-only checkout without an installation',
  () => {
    const { code, err } = readOnly('scripts/mien.mjs models', ['node_modules']);
    ensure(code === 1 && err.includes('mien: cannot install into'), `it ended with ${code}: ${err}`);
  },
  { skip },
);
