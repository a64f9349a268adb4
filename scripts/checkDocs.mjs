// The documents' code blocks are programs: each `ts` block runs, and prints what its `console.log` lines say in comments.
// What a fragment needs but a reader does not stands in a comment before it: `<!-- before`, lines of TypeScript, `-->`.
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

/** Paths of the Markdown files directly in `folder`. */
function markdown(folder) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => (folder === '.' ? name : `${folder}/${name}`));
}

function blocksOf(name) {
  const text = readFileSync(join(root, name), 'utf8');
  return [...text.matchAll(/(?:^<!-- before\n([\s\S]*?)^-->\n+)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: before = '', 2: language, 3: code, index }) => ({
      place: `${name}:${text.slice(0, index).split('\n').length}`,
      language,
      code: before + code,
    }),
  );
}

async function problemsOf({ place, language, code }, bundleForNode, scripts) {
  if (language === 'sh') {
    const named = [...code.matchAll(/^\$? ?npm (?:run (?:-s )?)?(\w+)/gm)].map(([, script]) => script);
    return named
      .filter((script) => script !== 'install' && !(script in scripts))
      .map((script) => `${place}: there is no script ${script}`);
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
  const plain = (text) => text.replace(/\s+/g, '').replaceAll('"', "'");
  const printed = stdout.trim().split('\n').map(plain);
  const expected = [...code.matchAll(/console\.log\(.*\);? *\/\/ (.*)$/gm)].map(([, comment]) => plain(comment));
  const wrong = expected.findIndex((comment, i) => comment !== printed[i]);
  return wrong < 0 ? [] : [`${place}: prints ${printed[wrong]}, its comment says ${expected[wrong]}`];
}
