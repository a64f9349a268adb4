// Which test files there are, and the entry that loads them one after another.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

/**
 * Test files of `words`: those whose path contains a word, when every word is found in a path; else all, because a word
 * may be in a case's name. `*.node.test.ts` is for Node only.
 */
export function testFiles(words, where) {
  const all = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join('test', name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && (where === 'node' || !path.endsWith('.node.test.ts')))
    .sort();
  const named = (word) => all.filter((path) => path.toLowerCase().includes(word.toLowerCase()));
  if (words.length === 0 || words.some((word) => named(word).length === 0)) return all;
  return all.filter((path) => words.some((word) => named(word).includes(path)));
}

/** An entry that exports `files` and `runTests`; each file is its own dynamic import, so that one that throws is one failure. */
export function testEntry(files) {
  const imports = files.map((path) => `  [${JSON.stringify(path)}, () => import(${JSON.stringify(`./${path}`)})],`);
  return {
    name: 'tests.ts',
    contents: `export { runTests } from './test/harness.ts';\nexport const files = [\n${imports.join('\n')}\n];\n`,
  };
}
