// SwiftShader, a software Vulkan driver, as @sparticuz/chromium ships it: it runs on machines without any driver.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder } from './cache.node.ts';

const archive = join('bin', 'swiftshader.tar.br');
const driver = 'libvk_swiftshader.so';
const manifest = 'vk_swiftshader_icd.json';
/** The name under which Dawn opens Vulkan. */
const loader = 'libvulkan.so.1';
/** glibc's RTLD_NODELETE: the library stays mapped although dlopen's caller closes it. */
const RTLD_NODELETE = 0x1000;

/** The archive's path if @sparticuz/chromium is installed for this library or the program, else null. */
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

/**
 * Maps SwiftShader under the name of Vulkan's loader, for a system without one: the driver has the loader's only entry point,
 * so that no environment variable is needed and worker threads work too.
 */
export function mapAsLoader(path: string): void {
  try {
    process.dlopen({ exports: {} }, join(unpacked(path), loader), constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch {
    // Node reports that it is not a module, but it stays mapped, and Dawn finds it by name.
  }
}

/**
 * Runs `open` while SwiftShader is the only driver that the system's loader finds. Restores the environment afterwards, unless
 * `keep` leaves it for worker threads: the loader does not read their copy of it.
 */
export async function withDriver<T>(path: string, keep: boolean, open: () => Promise<T>): Promise<T> {
  const before = { VK_ICD_FILENAMES: process.env.VK_ICD_FILENAMES, VK_DRIVER_FILES: process.env.VK_DRIVER_FILES };
  const file = join(unpacked(path), manifest);
  Object.assign(process.env, { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file });
  try {
    return await open();
  } finally {
    for (const [name, value] of Object.entries(keep ? {} : before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

let folderInUse: string | null = null;

/** A folder with the driver, unpacked once per version; a temporary one if the cache is not writable. */
function unpacked(path: string): string {
  folderInUse ??= unpack(path);
  return folderInUse;
}

function unpack(path: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(path), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const parent = cacheFolder();
  const folder = join(parent, `swiftshader-${version}-${loader}`);
  if (existsSync(join(folder, loader))) return folder;
  const files = driverFiles(path);
  try {
    mkdirSync(parent, { recursive: true });
    const partial = mkdtempSync(`${folder}-`);
    writeAll(partial, files);
    try {
      renameSync(partial, folder);
    } catch (reason) {
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(folder)) throw reason; // otherwise another process was first
    }
    return folder;
  } catch {
    const temporary = mkdtempSync(join(tmpdir(), 'mien-swiftshader-'));
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
    writeAll(temporary, files);
    return temporary;
  }
}

/** The driver and its manifest for a loader, and a copy of the driver under the loader's name for Dawn. */
function driverFiles(path: string): ReadonlyMap<string, Buffer> {
  const files = untar(brotliDecompressSync(readFileSync(path)));
  const read = (name: string): Buffer => files.get(name) ?? Buffer.alloc(0);
  const named = Buffer.from(read(driver));
  // glibc finds a mapped library by the name inside it (DT_SONAME), whatever its file is called.
  named.fill(0, named.indexOf(`${driver}\0`), named.indexOf(`${driver}\0`) + driver.length);
  named.write(loader, read(driver).indexOf(`${driver}\0`), 'latin1');
  return new Map([
    [driver, read(driver)],
    [manifest, read(manifest)],
    [loader, named],
  ]);
}

function writeAll(folder: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
}

/** The plain files of a ustar archive, by name: blocks of 512 bytes, a header before each file. */
function untar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const field = (from: number, length: number): string =>
      bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const kind = field(156, 1);
    if (kind === '0' || kind === '') files.set(field(0, 100), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
