// node scripts/dist.mjs NAME: builds dist of a package, as `pnpm pack` does: modules with the WGSL inlined, and declarations.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blazeFaceWeights } from './blazeface.mjs';
import { exitWithError, prepare, root, scriptArgs } from './workspace.mjs';

const [name = ''] = scriptArgs();
prepare();
const folder = join(root, 'packages', name);
/** @type {{ exports: Record<string, string>, imports?: Record<string, Record<string, string>>, publishConfig: { bin?: Record<string, string> } }} */
const { exports, imports = {}, publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const commands = Object.values(publishConfig.bin ?? {}).map((path) =>
  path.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
);
const entries = [
  ...Object.values(exports),
  ...Object.values(imports).flatMap((paths) => Object.values(paths)),
  ...commands,
];
rmSync(join(folder, 'dist'), { recursive: true, force: true });

const { build } = await import('esbuild');
await build({
  entryPoints: entries.map((path) => join(folder, path)),
  outbase: join(folder, 'src'),
  outdir: join(folder, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  sourcemap: true,
  loader: { '.wgsl': 'text', '.ttf': 'binary', '.safetensors': 'binary' },
  plugins: [
    blazeFaceWeights,
    { name: 'external-packages', setup: ({ onResolve }) => onResolve({ filter: /^[^./]/ }, asExternal) },
  ],
  logLevel: 'warning',
});

const options = [
  '--noEmit',
  'false',
  '--emitDeclarationOnly',
  '--rootDir',
  join(folder, 'src'),
  '--outDir',
  join(folder, 'dist'),
];
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const config = join(folder, 'tsconfig.json');
const { status } = spawnSync(process.execPath, [tsc, '-p', config, ...options], { cwd: root, stdio: 'inherit' });
if (status !== 0) exitWithError(`dist: tsc failed for ${name}; see the errors above`);

// A user's program needs the types of WebGPU and of `using`, whatever its own configuration names.
const references = '/// <reference lib="dom" />\n/// <reference lib="esnext.disposable" />\n';
if (name === 'tensor') {
  for (const entry of Object.values(exports)) {
    const file = join(folder, entry.replace('./src/', 'dist/').replace(/\.ts$/, '.d.ts'));
    writeFileSync(file, references + readFileSync(file, 'utf8'));
  }
}

/**
 * Packages are external, except the private @mien/shaders and the bytes of fonts.
 * @param {import('esbuild').OnResolveArgs} args
 */
function asExternal({ path, kind }) {
  const inside = kind === 'entry-point' || path.startsWith('@mien/shaders/') || path.endsWith('.ttf');
  return inside ? undefined : { path, external: true };
}
