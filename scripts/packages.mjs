// The published packages, packed as npm would receive them, and what publint and are-the-types-wrong say of them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, pnpm, root } from './workspace.mjs';

export const packageNames = ['tensor', 'nn', 'fer'];

const tools = join(root, 'scripts', 'publish');

/**
 * Packs every package into `folder`; returns the files.
 * @param {string} folder
 */
export function packInto(folder) {
  for (const name of packageNames) {
    const options = ['--filter', `@mien/${name}`, 'pack', '--pack-destination', folder];
    if (pnpm(options) !== 0) fail(`release: @mien/${name} could not be packed; see the error above`);
  }
  return readdirSync(folder).map((file) => join(folder, file));
}

/** Ends the process unless publint and are-the-types-wrong find nothing in the packed packages. */
export function checkPacked() {
  installIn(tools, 'release', 'publint and are-the-types-wrong', '40 MB');
  const folder = mkdtempSync(join(tmpdir(), 'mien-pack-'));
  try {
    for (const file of packInto(folder)) {
      // Only ES modules are published, so that `require` of them and the resolution of Node 10 do not count.
      runTool('publint', ['run', '--strict', file]);
      runTool('attw', ['--profile', 'esm-only', '--no-emoji', '--format', 'ascii', file]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Installs the packages of a folder that is apart from the workspace, unless they are there; pnpm keeps a copy of what it installed.
 * @param {string} folder
 * @param {string} command
 * @param {string} what
 * @param {string} size
 */
export function installIn(folder, command, what, size) {
  const [locked = '', installed = ''] = ['pnpm-lock.yaml', 'node_modules/.pnpm/lock.yaml'].map((name) =>
    join(folder, name),
  );
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(locked, 'utf8')) return;
  process.stderr.write(`${command}: installing ${what} (once, ${size})\n`);
  const install = ['--dir', folder, '--ignore-workspace', 'install', '--frozen-lockfile', '--ignore-scripts'];
  if (pnpm(install) !== 0) fail(`${command}: the installation failed; see the error above`);
}

/** @param {string} name @param {readonly string[]} args */
function runTool(name, args) {
  const { status } = spawnSync(join(tools, 'node_modules', '.bin', name), args, { stdio: 'inherit' });
  if (status !== 0) fail(`release: ${name} found problems; see above`);
}
