// In a bundle of tests, functions that a test file imports from @mien/tensor and @mien/nn count their calls, so that the harness sees
// whether a case called the function that its title names. Only imports of test files are replaced.
import { join } from 'node:path';
import { publicNames } from './publicNames.mjs';
import { root } from './workspace.mjs';

const packages = ['@mien/tensor', '@mien/nn', '@mien/tensor/testing'];
const checks = ['gradcheck', 'gradgradcheck'];

/** @type {import('esbuild').Plugin} */
export const countCalls = {
  name: 'count-calls',
  setup(build) {
    const tests = join(root, 'test');
    build.onResolve({ filter: /^@mien\/(tensor|nn)(\/testing)?$/ }, ({ path, importer }) =>
      packages.includes(path) && importer.startsWith(tests) ? { path, namespace: 'counted' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'counted' }, ({ path }) => ({
      contents: counted(path),
      resolveDir: root,
      loader: 'js',
    }));
  },
};

/** The module that counts the calls of a package's functions. @param {string} path of the package */
function counted(path) {
  const all = publicNames();
  const folder = `packages/${path.split('/')[1]}/`;
  const names = path.endsWith('/testing')
    ? checks
    : all
        .filter(({ file, method, kind }) => !method && kind !== 'error' && file.startsWith(folder))
        .map(({ name }) => name);
  const wrapped = names.filter((name) => name !== 'Tensor');
  const methods = path === '@mien/tensor' ? all.filter(({ method }) => method).map(({ name }) => name) : [];
  return `
    import * as real from '${path}';
    import { counted, countMethods } from './test/calls.ts';
    export * from '${path}';
    ${wrapped.map((name) => `const ${name}Counted = counted('${name}', real.${name});`).join('\n')}
    export { ${wrapped.map((name) => `${name}Counted as ${name}`).join(', ')} };
    ${methods.length > 0 ? `countMethods(real.Tensor.prototype, ${JSON.stringify(methods)});` : ''}
  `;
}
