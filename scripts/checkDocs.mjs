// Runs each `ts` block of the documents and compares its output with the comments of its `console.log` lines. A comment before the
// block, `<!-- before`, lines of TypeScript, `-->`, holds code that readers need not see.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

const documents = [
  ...markdown('.'),
  ...markdown('docs'),
  ...['tensor', 'nn', 'fer'].flatMap((name) => markdown(`packages/${name}`)),
];

/** Problems, each with the document's line. Commands of `sh` blocks must be scripts of package.json. */
export async function docsThatFail() {
  const { bundleForNode } = await import('./bundle.mjs');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const problems = [];
  for (const name of documents) {
    for (const block of blocksOf(name)) problems.push(...(await problemsOf(block, bundleForNode, scripts)));
  }
  return problems;
}

/** Paths of the Markdown files directly in a folder. @param {string} folder */
function markdown(folder) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => (folder === '.' ? name : `${folder}/${name}`));
}

/** @typedef {{ readonly place: string, readonly language: string, readonly code: string }} Block */

/** @param {string} name @returns {Block[]} */
function blocksOf(name) {
  const text = readFileSync(join(root, name), 'utf8');
  return [...text.matchAll(/(?:^<!-- before\n([\s\S]*?)^-->\n+)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: before = '', 2: language = '', 3: code = '', index }) => ({
      place: `${name}:${text.slice(0, index).split('\n').length}`,
      language,
      code: before + code,
    }),
  );
}

/**
 * @param {Block} block
 * @param {typeof import('./bundle.mjs').bundleForNode} bundleForNode
 * @param {object} scripts
 */
async function problemsOf({ place, language, code }, bundleForNode, scripts) {
  if (language === 'sh') {
    const named = [...code.matchAll(/^\$? ?npm (?:run (?:-s )?)?(\w+)/gm)].map(([, script = '']) => script);
    return named
      .filter((script) => script !== 'install' && !(script in scripts))
      .map((script) => `${place}: package.json has no script ${script}`);
  }
  if (language !== 'ts') return [];
  const file = await bundleForNode({ name: `${place}.ts`, contents: code }, 'docs').catch((reason) => reason);
  if (file instanceof Error) return [`${place}: ${file.message}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--enable-source-maps', file], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) return [`${place}: does not run\n${stderr}`];
  /** @param {string} text */
  const plain = (text) => text.replace(/\s+/g, '').replaceAll('"', "'");
  const printed = stdout.trim().split('\n').map(plain);
  const expected = [...code.matchAll(/console\.log\(.*\);? *\/\/ (.*)$/gm)].map(([, comment = '']) => plain(comment));
  const wrong = expected.findIndex((comment, i) => comment !== printed[i]);
  return wrong < 0 ? [] : [`${place}: expected ${expected[wrong]}, as the comment says, got ${printed[wrong]}`];
}
