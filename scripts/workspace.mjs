// What every script starts with: where the workspace is, what was typed, and an installation that is up to date.
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

/** The repository's folder, also when this file was bundled into one below it. */
export const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

const cache = join(root, 'node_modules', '.cache', 'mien');
let writableCache = null;

// Output that nobody reads any more (`npm run bench | head`) ends a script quietly, unless its program has a handler of its own;
// without standard error it goes on.
process.stdout.on('error', ({ code }) => {
  if (code === 'EPIPE' && process.stdout.listenerCount('error') === 1) process.exit(141);
});
process.stderr.on('error', () => {});

/** A folder for what may be deleted at any time: bundles, unpacked programs. Where the checkout cannot be written, one of this process. */
export function cacheFolder() {
  writableCache ??= writable(cache) ? cache : temporaryCache();
  return writableCache;
}

function writable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Its bundles find packages as those in the checkout do. */
function temporaryCache() {
  const folder = mkdtempSync(join(tmpdir(), 'mien-cache-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder that the command was typed in; npm and pnpm change to the root and name it in INIT_CWD. */
export const callerFolder = process.env.INIT_CWD ?? process.cwd();

/** What was typed after the script's name, without a leading literal `--` (pnpm passes it on, npm does not). */
export function typed() {
  const words = process.argv.slice(2);
  return words[0] === '--' ? words.slice(1) : words;
}

/** Ends the process with one plain sentence on standard error. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Installs what is missing or out of date, and nothing (not even asking the network) when all is there. */
export function prepare() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`mien: needs Node 20 or later, this is ${process.versions.node}`);
  if (installed()) return;
  const free = lock();
  const done = installed() || install();
  free();
  if (done) return;
  fail(
    'mien: the installation failed; its reason stands above. It needs the npm registry once, later runs work offline',
  );
}

/** Runs pnpm, at the version that package.json names, in the root; gives its exit code. Its words go to standard error. */
export function pnpm(words) {
  const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const onWindows = process.platform === 'win32';
  const npx = onWindows ? 'npx.cmd' : 'npx';
  const { status } = spawnSync(npx, ['--yes', config.pnpm, ...words], {
    cwd: root,
    stdio: ['inherit', 2, 2],
    shell: onWindows,
  });
  return status ?? 1;
}

function rootAbove(folder) {
  while (!existsSync(join(folder, 'pnpm-workspace.yaml'))) folder = dirname(folder);
  return folder;
}

function install() {
  process.stderr.write('mien: installing what package.json names (once)\n');
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

/** Changes whenever a file does that decides what is installed. */
function fingerprint() {
  const members = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'));
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'shaders/package.json', ...members];
  const hash = createHash('sha256');
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

/** Lets one script install at a time. The lock names its process, so that one which was killed does not hold up the next. */
function lock() {
  const file = join(root, 'node_modules', '.mien-installing');
  if (!writable(dirname(file))) {
    fail(`mien: cannot install into ${root}, which this user cannot write; run one npm command as its owner first`);
  }
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (reason) {
      if (reason.code !== 'EEXIST') throw reason;
    }
    if (alive(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    else rmSync(file, { force: true, recursive: true });
  }
}

function alive(file) {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')) || process.pid, 0);
  } catch {
    return false;
  }
}
