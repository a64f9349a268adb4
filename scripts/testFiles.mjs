// Lists the test files, and makes the entry that loads them one after another.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

/** @typedef {import('../test/harness.ts').RunOptions & { readonly filters: readonly string[] }} Run */
/** @typedef {Omit<import('../test/harness.ts').CaseRecord, 'state'> & { readonly state: string, readonly where: string }} TestRecord */

/**
 * The test files whose path contains one of `filters`, or all files if a filter is in no path, because it may be in the name of a case.
 * @param {readonly string[]} filters
 * @param {'node' | 'browser'} where `*.node.test.ts` run in Node only
 */
export function testFiles(filters, where) {
  const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && (where === 'node' || !path.endsWith('.node.test.ts')))
    .sort();
  /** @param {string} filter */
  const matching = (filter) => all.filter((path) => path.toLowerCase().includes(filter.toLowerCase()));
  if (filters.length === 0 || filters.some((filter) => matching(filter).length === 0)) return all;
  return all.filter((path) => filters.some((filter) => matching(filter).includes(path)));
}

/**
 * An entry that exports `files` and `runTests`. Files are imported dynamically, so that one that throws is one failure.
 * @param {readonly string[]} files
 */
export function testEntry(files) {
  const imports = files.map((path) => `  [${JSON.stringify(path)}, () => import(${JSON.stringify(`./${path}`)})],`);
  return {
    name: 'tests.ts',
    contents: `export { runTests } from './test/harness.ts';\nexport const files = [\n${imports.join('\n')}\n];\n`,
  };
}
