// What every script starts with: where the workspace is, what was scriptArgs, and an installation that is up to date.
// Only Node's own modules are imported here, because nothing else may be installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The repository's folder, also from a bundle below it. */
export const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

const cache = join(root, 'node_modules', '.cache', 'mien');
/** @type {string | null} */
let writableCache = null;

// A closed standard output (`npm run bench | head`) ends a script without a message, unless its program handles it; a closed standard
// error does not.
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
  if (code === 'EPIPE' && process.stdout.listenerCount('error') === 1) process.exit(141);
});
process.stderr.on('error', () => {});

/** The folder of bundles and unpacked programs, which may be deleted at any time; a temporary one if the checkout is read-only. */
export function cacheFolder() {
  writableCache ??= writable(cache) ? cache : temporaryCache();
  return writableCache;
}

/** @param {string} folder */
function writable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder from which bundles resolve packages as from the checkout. */
function temporaryCache() {
  const folder = mkdtempSync(join(tmpdir(), 'mien-cache-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder in which the user ran the command: npm and pnpm change to the root and name it in INIT_CWD. */
export const callerFolder = process.env.INIT_CWD ?? process.cwd();

/** The arguments after the script's name, without a leading literal `--` (pnpm passes it on, npm does not). */
export function scriptArgs() {
  const args = process.argv.slice(2);
  return args[0] === '--' ? args.slice(1) : args;
}

/**
 * The options and other arguments of a script; ends the process with `usage` if they are wrong.
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} T
 * @param {string} command
 * @param {string} usage
 * @param {T} options
 */
export function parseScriptArgs(command, usage, options) {
  const args = scriptArgs();
  if (args.includes('--help')) {
    process.stdout.write(`npm ${command === 'test' ? '' : 'run '}${command} -- ${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (reason) {
    return exitWithError(`${command}: ${messageOf(reason)}; options are ${usage}`);
  }
}

/**
 * Prints `message` on standard error and ends the process with code 1.
 * @param {string} message
 * @returns {never}
 */
export function exitWithError(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** @param {unknown} reason */
export function messageOf(reason) {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Installs what is missing or out of date; otherwise does nothing and needs no network. */
export function prepare() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 20) exitWithError(`mien: expected Node 20 or later, got ${process.versions.node}`);
  if (installed()) return;
  const unlock = lock();
  const done = installed() || install();
  unlock();
  if (done) return;
  exitWithError(
    'mien: the installation failed; see the error above. The first run needs the npm registry, later ones work offline',
  );
}

/**
 * Runs pnpm, at the version that package.json names, in the root, with its output on standard error. Returns its exit code.
 * @param {readonly string[]} args
 */
export function pnpm(args) {
  const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const onWindows = process.platform === 'win32';
  const npx = onWindows ? 'npx.cmd' : 'npx';
  const { status } = spawnSync(npx, ['--yes', config.pnpm, ...args], {
    cwd: root,
    stdio: ['inherit', 2, 2],
    shell: onWindows,
  });
  return status ?? 1;
}

/**
 * Installs the packages of a folder outside the workspace, such as bench/peers, unless they are up to date.
 * @param {string} folder
 * @param {string} command
 * @param {string} description what is installed, and its size
 */
export function installApart(folder, command, description) {
  const locked = readFileSync(join(folder, 'pnpm-lock.yaml'), 'utf8');
  const installed = join(folder, 'node_modules/.pnpm/lock.yaml'); // pnpm's copy
  if (existsSync(installed) && readFileSync(installed, 'utf8') === locked) return;
  process.stderr.write(`${command}: installing ${description}\n`);
  const install = ['--dir', folder, '--ignore-workspace', 'install', '--frozen-lockfile', '--ignore-scripts'];
  if (pnpm(install) !== 0) exitWithError(`${command}: the installation failed; see the error above`);
}

/** @param {string} folder @returns {string} */
function rootAbove(folder) {
  return existsSync(join(folder, 'pnpm-workspace.yaml')) ? folder : rootAbove(dirname(folder));
}

function install() {
  process.stderr.write('mien: installing the dependencies (once)\n');
  if (pnpm(['install', '--frozen-lockfile']) !== 0) return false;
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, fingerprint());
  return true;
}

const stamp = join(cache, 'installed');

function installed() {
  if (!existsSync(join(root, 'node_modules', '.modules.yaml')) || !existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8') === fingerprint();
}

/** A hash of everything that determines the installation. */
function fingerprint() {
  const members = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'));
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'shaders/package.json', ...members];
  const hash = createHash('sha256');
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

/** Waits until no other script installs; returns the function that unlocks. The lock holds a process id, so that a killed process's lock is stale. */
function lock() {
  const file = join(root, 'node_modules', '.mien-installing');
  if (!writable(dirname(file))) {
    exitWithError(
      `mien: cannot install into ${root}, which is read-only for this user; run an npm command as its owner first`,
    );
  }
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (reason) {
      if (!(reason instanceof Error && 'code' in reason && reason.code === 'EEXIST')) throw reason;
    }
    if (alive(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    else rmSync(file, { force: true, recursive: true });
  }
}

/** Whether the process whose id a file holds is running. @param {string} file */
function alive(file) {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')) || process.pid, 0);
  } catch {
    return false;
  }
}
