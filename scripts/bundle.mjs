// Bundles a TypeScript entry with esbuild, WGSL as text. There is no build step.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { blazeFaceWeights } from './blazeface.mjs';
import { cacheFolder, root } from './workspace.mjs';

/** @satisfies {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  format: 'esm',
  write: false,
  sourcemap: 'linked',
  loader: { '.wgsl': 'text', '.ttf': 'binary', '.safetensors': 'binary' },
  // esbuild drops bare imports of packages without side effects; a dropped test file would never run.
  logOverride: { 'ignored-bare-import': 'error' },
  absWorkingDir: root,
  // Entries outside the checkout resolve packages as those inside do.
  nodePaths: [join(root, 'node_modules')],
};

/** Keeps npm packages external, by the path that their importer resolves, so that native ones work. @type {import('esbuild').Plugin} */
const externalPackages = {
  name: 'external-packages',
  setup(build) {
    build.onResolve({ filter: /^[^./#]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === externalPackages || kind === 'entry-point' || path.startsWith('@mien/')) return undefined;
      if (path.endsWith('.ttf')) return undefined; // bytes of a font, not a module
      if (path.startsWith('node:') || builtinModules.includes(path)) return { path, external: true };
      const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: externalPackages });
      if (found.errors.length > 0) return { errors: found.errors };
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/** @typedef {string | { readonly contents: string, readonly name?: string }} Entry a path, or TypeScript in the root folder */

/**
 * Bundles an entry for Node; returns the file to import.
 * @param {Entry} entry
 * @param {string} [name] of the file
 * @param {readonly import('esbuild').Plugin[]} [plugins]
 */
export async function bundleForNode(entry, name = 'entry', plugins = []) {
  const cache = cacheFolder();
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...common,
    ...input(entry),
    platform: 'node',
    target: 'node20',
    outfile: join(cache, 'bundles', `${name}.mjs`),
    plugins: [...plugins, blazeFaceWeights, externalPackages],
    logLevel: 'warning',
  });
  const [map, code] = /** @type {[import('esbuild').OutputFile, import('esbuild').OutputFile]} */ (outputFiles);
  const hash = createHash('sha256').update(code.contents).update(map.contents).digest('hex').slice(0, 16);
  const folder = join(cache, 'bundles', hash);
  if (!existsSync(folder)) {
    deleteOld(join(cache, 'bundles'));
    const half = `${folder}.${process.pid}`;
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, `${name}.mjs`), code.contents);
    // Relative sources would be wrong after the move.
    /** @type {{ sources: string[] }} */
    const sources = JSON.parse(map.text);
    sources.sources = sources.sources.map((source) => pathToFileURL(join(cache, 'bundles', source)).href);
    writeFileSync(join(half, `${name}.mjs.map`), JSON.stringify(sources));
    try {
      renameSync(half, folder);
    } catch {
      rmSync(half, { recursive: true, force: true }); // another process was first, with the same bytes
    }
  }
  return join(folder, `${name}.mjs`);
}

/**
 * Bundles entries for browsers; returns the text of each output file by name.
 * @param {Readonly<Record<string, string>> | { readonly contents: string, readonly name?: string }} entries paths by name, or TypeScript
 * @param {import('esbuild').BuildOptions} [options]
 * @returns {Promise<Map<string, string>>}
 */
export async function bundleForBrowser(entries, options = {}) {
  const outdir = join(root, 'browser'); // nothing is written there
  const { build } = await import('esbuild');
  const { outputFiles = [] } = await build({
    ...common,
    ...(isText(entries) ? input(entries) : { entryPoints: { ...entries } }),
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    outdir,
    logLevel: 'warning',
    ...options,
    plugins: [...(options.plugins ?? []), blazeFaceWeights],
  });
  return new Map(outputFiles.map((file) => [file.path.slice(outdir.length + 1), file.text]));
}

/**
 * Ends the process after an error of esbuild, which has printed it; throws any other error.
 * @param {unknown} reason
 * @returns {never}
 */
export function exitIfPrinted(reason) {
  if (reason instanceof Error && 'errors' in reason) process.exit(1);
  throw reason;
}

/**
 * Bundles an entry for Node and runs it in this process; stack traces name lines of TypeScript.
 * @param {Entry} entry
 * @param {readonly string[]} args
 */
export async function runEntry(entry, args) {
  const file = await bundleForNode(entry).catch(exitIfPrinted);
  process.setSourceMapsEnabled(true);
  process.argv = [process.execPath, typeof entry === 'string' ? entry : file, ...args];
  return import(pathToFileURL(file).href);
}

/** @param {object} entries @returns {entries is { readonly contents: string, readonly name?: string }} */
function isText(entries) {
  return 'contents' in entries;
}

/** @param {Entry} entry @returns {import('esbuild').BuildOptions} */
function input(entry) {
  return typeof entry === 'string'
    ? { entryPoints: [entry] }
    : { stdin: { contents: entry.contents, resolveDir: root, sourcefile: entry.name ?? 'entry.ts', loader: 'ts' } };
}

/** Deletes bundles that are older than a day. @param {string} folder */
function deleteOld(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 24 * 3600_000) rmSync(path, { recursive: true, force: true });
  }
}
