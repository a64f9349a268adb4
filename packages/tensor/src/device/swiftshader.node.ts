// SwiftShader, a Vulkan driver in software, as @sparticuz/chromium ships it: enough to run on a machine without any driver.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder } from './cache.node.ts';

const archive = join('bin', 'swiftshader.tar.br');
/** glibc's RTLD_NODELETE: the library stays mapped after dlopen's caller gave up on it. */
const RTLD_NODELETE = 0x1000;

/** The archive's path where @sparticuz/chromium is installed, for this library or for the program; else null. */
export function embeddedSwiftShader(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      let folder = dirname(createRequire(from).resolve('@sparticuz/chromium'));
      while (!existsSync(join(folder, archive)) && dirname(folder) !== folder) folder = dirname(folder);
      if (existsSync(join(folder, archive))) return join(folder, archive);
    } catch {
      // not installed here
    }
  }
  return null;
}

/** Runs `open` while SwiftShader is the only Vulkan driver that a loader finds; the environment is put back afterwards. */
export async function withDriver<T>(path: string, open: () => Promise<T>): Promise<T> {
  const folder = unpacked(path);
  const before = { VK_ICD_FILENAMES: process.env.VK_ICD_FILENAMES, VK_DRIVER_FILES: process.env.VK_DRIVER_FILES };
  const driver = join(folder, 'vk_swiftshader_icd.json');
  Object.assign(process.env, { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver });
  try {
    const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE;
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), flags);
  } catch {
    // It is no Node module and Node says so, but the loader stays mapped, and Dawn finds it by its name.
  }
  try {
    return await open();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** A folder with the archive's files, unpacked once a version; in a temporary folder where the cache cannot be written. */
function unpacked(path: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(path), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const parent = cacheFolder();
  const folder = join(parent, `swiftshader-${version}`);
  if (existsSync(join(folder, 'vk_swiftshader_icd.json'))) return folder;
  const files = untar(brotliDecompressSync(readFileSync(path)));
  try {
    mkdirSync(parent, { recursive: true });
    const half = mkdtempSync(`${folder}-`);
    for (const [name, content] of files) writeFileSync(join(half, name), content);
    try {
      renameSync(half, folder);
    } catch (reason) {
      rmSync(half, { recursive: true, force: true });
      if (!existsSync(folder)) throw reason; // else another process was first
    }
    return folder;
  } catch {
    const temporary = mkdtempSync(join(tmpdir(), 'mien-swiftshader-'));
    for (const [name, content] of files) writeFileSync(join(temporary, name), content);
    return temporary;
  }
}

/** The plain files of a ustar archive, by name: blocks of 512 bytes, a header before each file. */
function untar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const kind = text(156, 1);
    if (kind === '0' || kind === '') files.set(text(0, 100), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
