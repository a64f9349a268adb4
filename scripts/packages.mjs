// The published packages, packed as npm would receive them, and what publint and are-the-types-wrong say of them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitWithError, installApart, pnpm, root } from './workspace.mjs';

export const packageNames = ['tensor', 'nn', 'fer'];

const tools = join(root, 'scripts', 'publish');

/**
 * Packs every package into `folder`; returns the files.
 * @param {string} folder
 */
export function packInto(folder) {
  for (const name of packageNames) {
    const options = ['--filter', `@mien/${name}`, 'pack', '--pack-destination', folder];
    if (pnpm(options) !== 0) exitWithError(`release: @mien/${name} could not be packed; see the error above`);
  }
  return readdirSync(folder).map((file) => join(folder, file));
}

/** Ends the process unless publint and are-the-types-wrong find nothing in the packed packages. */
export function checkPacked() {
  installApart(tools, 'release', 'publint and are-the-types-wrong (once, 40 MB)');
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

/** @param {string} name @param {readonly string[]} args */
function runTool(name, args) {
  const { status } = spawnSync(join(tools, 'node_modules', '.bin', name), args, { stdio: 'inherit' });
  if (status !== 0) exitWithError(`release: ${name} found problems; see above`);
}
