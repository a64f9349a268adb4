// Files of a run or of folds that somebody edited or cut: one error that names the file and the place.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curves, kfold, report } from '@mien/fer/node';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected, soundRun } from './kit.ts';

type Edit = (text: string) => string;

const change =
  (changes: object): Edit =>
  (text) =>
    JSON.stringify({ ...JSON.parse(text), ...changes });

const cases: Readonly<Record<string, readonly [file: string, edit: Edit, sentence: string]>> = {
  'a summary that is cut short': ['summary.json', (text) => text.slice(0, 100), 'summary.json: not JSON'],
  'a summary of nothing': ['summary.json', () => 'null', 'summary.json: epochs must be a number, got undefined'],
  'a summary of an unknown network': ['summary.json', change({ model: 'vgg99' }), 'model must be one of'],
  'a summary without a seed': ['summary.json', change({ seed: null }), 'seed must be a number, got null'],
  'a summary with half a protocol': ['summary.json', change({ protocol: {} }), 'must be an integer from 1'],
  'metrics that are not lines of JSON': ['metrics.jsonl', () => 'epoch 0\n', 'metrics.jsonl, line 1: not JSON'],
  'metrics without an accuracy': ['metrics.jsonl', () => '{"epoch": 0}\n', 'line 1: no epoch with its test accuracy'],
  'metrics of no epoch': ['metrics.jsonl', () => '', 'metrics.jsonl: no epoch is complete'],
};

for (const [what, [file, edit, sentence]] of Object.entries(cases)) {
  test(`curves and report refuse ${what}`, () =>
    inFolder(async (folder) => {
      const run = await soundRun(folder);
      const path = join(run, file);
      writeFileSync(path, edit(readFileSync(path, 'utf8')));
      await rejected(
        Promise.resolve().then(() => curves([run])),
        sentence,
      );
      await rejected(report({ run }), sentence);
    }));
}

test('kfold refuses settings that were edited', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'settings.json');
    const sound = { model: 'nano', folds: 'reference', data: null, init: null };
    const texts: [string, string][] = [
      ['{', 'settings.json: not JSON'],
      [JSON.stringify({ ...sound, model: 1 }), 'settings.json: model is 1'],
      [JSON.stringify({ ...sound, folds: 'any' }), 'settings.json: folds are "any"'],
      [JSON.stringify({ ...sound, data: 3 }), 'settings.json: data and init must be paths or null'],
      [JSON.stringify(sound), 'settings.json: epochs must be'],
    ];
    for (const [text, sentence] of texts) {
      writeFileSync(path, text);
      await rejected(kfold({ out: folder }), sentence);
    }
  }));

test('mien confusion, curves, report and kfold answer wrong words with one line', () =>
  inFolder(async (folder) => {
    const nowhere = join(folder, 'nowhere');
    const typed: [string[], string][] = [
      [['confusion'], 'confusion needs either --weights FILE or --evaluation FILE'],
      [['confusion', '--evaluation', nowhere], 'nowhere: cannot be read'],
      [['curves', nowhere, '--out', join(folder, 'x.gif')], 'x.gif: expected the extension .svg or .png'],
      [['report', nowhere], 'summary.json: does not exist'],
      [['kfold'], 'kfold needs --model'],
      [['kfold', '--model', 'nano', '--out', nowhere], 'data is required'],
      [['kfold', '--model', 'nano', '--seeds', '1,1'], 'Seeds must be distinct'],
      [['kfold', '--model', 'nano', '--only', 'all'], 'Expected a fold or a range like 3-5'],
      [['evaluate'], 'evaluate needs --weights'],
    ];
    for (const [words, sentence] of typed) refused(await mien(words), sentence);
  }));
