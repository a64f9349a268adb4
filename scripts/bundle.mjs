// Bundles a TypeScript entry with esbuild, WGSL as text. There is no build step: what is run is what was just read.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { blazeFaceWeights } from './blazeface.mjs';
import { cacheFolder, root } from './workspace.mjs';

const common = {
  bundle: true,
  format: 'esm',
  write: false,
  sourcemap: 'linked',
  loader: { '.wgsl': 'text', '.ttf': 'binary', '.safetensors': 'binary' },
  // A bare import that esbuild drops would be a test file that never runs.
  logOverride: { 'ignored-bare-import': 'error' },
  absWorkingDir: root,
  // Entries outside the checkout find the workspace's packages and what these use.
  nodePaths: [join(root, 'node_modules')],
};

/** The workspace's own code in one file; each npm package stays one file: import of what its importer finds, so native ones work. */
const leavePackages = {
  name: 'leave-packages',
  setup(build) {
    build.onResolve({ filter: /^[^./#]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === leavePackages || kind === 'entry-point' || path.startsWith('@mien/')) return undefined;
      if (path.endsWith('.ttf')) return undefined; // bytes of a font, not a module
      if (path.startsWith('node:') || builtinModules.includes(path)) return { path, external: true };
      const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: leavePackages });
      if (found.errors.length > 0) return { errors: found.errors };
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/** Bundles `entry` (a path, or `{ contents }`) for Node, through `plugins` of esbuild; gives the file to import. */
export async function bundleForNode(entry, name = 'entry', plugins = []) {
  const cache = cacheFolder();
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...common,
    ...input(entry),
    platform: 'node',
    target: 'node20',
    outfile: join(cache, 'bundles', `${name}.mjs`),
    plugins: [...plugins, blazeFaceWeights, leavePackages],
    logLevel: 'warning',
  });
  const [map, code] = outputFiles;
  const hash = createHash('sha256').update(code.contents).update(map.contents).digest('hex').slice(0, 16);
  const folder = join(cache, 'bundles', hash);
  if (!existsSync(folder)) {
    forgetOld(join(cache, 'bundles'));
    const half = `${folder}.${process.pid}`;
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, `${name}.mjs`), code.contents);
    // Sources are named from the bundle's folder; absolute names survive its move.
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

/** Bundles entries (name to path, or one `{ contents }`) for the browser; gives a map of file name to text. */
export async function bundleForBrowser(entries, options = {}) {
  const outdir = join(root, 'browser'); // nothing is written there
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...common,
    ...(entries.contents === undefined ? { entryPoints: entries } : input(entries)),
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

/** Ends the process where esbuild failed, because it has printed why; throws any other reason. */
export function endIfPrinted(reason) {
  if (reason?.errors?.length > 0) process.exit(1);
  throw reason;
}

/** Bundles `entry` for Node and runs it in this process with `words` as its arguments; stack traces name the .ts lines. */
export async function runEntry(entry, words) {
  const file = await bundleForNode(entry).catch(endIfPrinted);
  process.setSourceMapsEnabled(true);
  process.argv = [process.argv[0], typeof entry === 'string' ? entry : file, ...words];
  return import(pathToFileURL(file).href);
}

function input(entry) {
  return typeof entry === 'string'
    ? { entryPoints: [entry] }
    : { stdin: { contents: entry.contents, resolveDir: root, sourcefile: entry.name ?? 'entry.ts', loader: 'ts' } };
}

/** Bundles of yesterday are of no use. */
function forgetOld(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 24 * 3600_000) rmSync(path, { recursive: true, force: true });
  }
}
