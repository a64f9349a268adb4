// A real Chromium with WebGPU: the one inside @sparticuz/chromium on Linux x64, elsewhere one that is installed.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder, exitWithError, root } from './workspace.mjs';

const flags = [
  '--headless',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Starts Chromium, or the browser that `MIEN_CHROMIUM` names; the caller closes it. */
export async function launchChromium() {
  const { chromium } = await import('playwright-core');
  const { executablePath, env } = findChromium();
  return chromium.launch({ executablePath, args: flags, env: { ...process.env, ...env } });
}

function findChromium() {
  const named = process.env.MIEN_CHROMIUM;
  if (named) return { executablePath: named, env: {} };
  const packed = join(root, 'node_modules', '@sparticuz', 'chromium');
  if (process.platform === 'linux' && process.arch === 'x64' && existsSync(packed)) return unpackedChromium(packed);
  const executablePath = installed.find((path) => existsSync(path));
  if (executablePath) return { executablePath, env: {} };
  return exitWithError('chromium: no browser found; install Chrome or Chromium, or set MIEN_CHROMIUM to its path');
}

/** Unpacks each version once, then renames it, so that an interrupted run leaves no incomplete folder. @param {string} packed */
function unpackedChromium(packed) {
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8'));
  const folder = join(cacheFolder(), `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cacheFolder(), { recursive: true });
    const half = mkdtempSync(`${folder}-`);
    /** @param {string} name */
    const open = (name) => brotliDecompressSync(readFileSync(join(packed, 'bin', name)));
    writeFileSync(join(half, 'chromium'), open('chromium.br'));
    chmodSync(join(half, 'chromium'), 0o755);
    for (const [name, into] of /** @type {const} */ ([
      ['swiftshader.tar.br', '.'],
      ['al2023.tar.br', 'al2023'],
      ['fonts.tar.br', 'fonts'],
    ])) {
      mkdirSync(join(half, into), { recursive: true });
      const { status, stderr } = spawnSync('tar', ['-x', '-C', join(half, into)], { input: open(name) });
      if (status !== 0) exitWithError(`chromium: tar could not unpack ${name}: ${stderr}`);
    }
    const fonts = [join(folder, 'fonts'), '/usr/share/fonts'].map((path) => `<dir>${path}</dir>`).join('');
    writeFileSync(
      join(half, 'fonts.conf'),
      `<fontconfig>${fonts}<cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`,
    );
    try {
      renameSync(half, folder);
    } catch {
      rmSync(half, { recursive: true, force: true }); // another process was first
    }
  }
  /** @type {Record<string, string>} */
  const env = { FONTCONFIG_FILE: join(folder, 'fonts.conf') };
  if (!hasLibrary('libnss3.so')) env.LD_LIBRARY_PATH = join(folder, 'al2023', 'lib');
  return { executablePath: join(folder, 'chromium'), env };
}

/** @param {string} name */
function hasLibrary(name) {
  const listed = ['ldconfig', '/sbin/ldconfig'].map(
    (command) => spawnSync(command, ['-p'], { encoding: 'utf8' }).stdout ?? '',
  );
  return listed.some((text) => text.includes(name));
}
