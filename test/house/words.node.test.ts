// `check` refuses the phrases of scripts/checkWords.mjs, in prose only.
import { readFileSync } from 'node:fs';
import { ensure } from '@mien/tensor/testing';
import { refusedWords } from '../../scripts/checkWords.mjs';
import { proseOf } from '../../scripts/prose.mjs';
import { test } from '../harness.ts';

const sentences = (name: string): string[] =>
  readFileSync(`test/house/words/${name}.txt`, 'utf8').trimEnd().split('\n');

test('check refuses each wrong sentence and names its line', () => {
  const found = new Set(
    refusedWords('wrong.md', sentences('wrong').join('\n')).map((problem) => problem.split(':')[1]),
  );
  for (const [i, sentence] of sentences('wrong').entries()) {
    const isContinued = sentence === 'on with the next epoch';
    ensure(found.has(`${i + 1}`) !== isContinued, `line ${i + 1}, ${sentence}`);
  }
});

test('check refuses no right sentence', () => {
  const problems = refusedWords('right.md', sentences('right').join('\n'));
  ensure(problems.length === 0, problems.join('\n'));
});

/** Problems in each line `path: text` of a file, in which \n stands for a line break. */
function problemsByLine(name: string): [line: string, problems: string[]][] {
  return sentences(name).map((line) => {
    const [path = '', text = ''] = line.split(/: (.*)/);
    return [line, refusedWords(path, text.replaceAll('\\n', '\n'))];
  });
}

test('check reads comments and strings of source code, and nothing else of it', () => {
  for (const [line, problems] of problemsByLine('prose')) ensure(problems.length === 1, `missed in ${line}`);
  for (const [line, problems] of problemsByLine('code')) ensure(problems.length === 0, `refused ${line}`);
});

test('check reports the first line of a phrase', () => {
  const [, , [, [problem]]] = problemsByLine('prose') as [unknown, unknown, [string, string[]]];
  ensure(
    problem?.startsWith('a.ts:1: `') === true && problem.endsWith('`; write continue, resume, or happen'),
    `${problem}`,
  );
});

test('check keeps the offsets and lines of a source', () => {
  for (const path of ['test/harness.ts', 'scripts/prose.mjs', 'shaders/lib/gemm.wgsl', 'test/golden/make.py']) {
    const text = readFileSync(path, 'utf8');
    const prose = proseOf(path, text) ?? '';
    const same = [...text].every((sign, i) => prose[i] === sign || '\0 '.includes(prose[i] ?? ''));
    ensure(prose.length === text.length && same, path);
  }
});
