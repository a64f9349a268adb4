// Edited or truncated files of a run folder: one error that names the file and the field.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curves, kfold, report } from '@mien/fer/node';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected, validRun } from './kit.ts';

type Edit = (text: string) => string;

const change =
  (changes: object): Edit =>
  (text) =>
    JSON.stringify({ ...JSON.parse(text), ...changes });

const cases: Readonly<Record<string, readonly [file: string, edit: Edit, message: string]>> = {
  'a truncated summary': ['summary.json', (text) => text.slice(0, 100), 'summary.json: not JSON'],
  'a summary that is null': ['summary.json', () => 'null', 'summary.json: epochs must be a number, got undefined'],
  'a summary of an unknown network': ['summary.json', change({ model: 'vgg99' }), 'model must be one of'],
  'a summary without a seed': ['summary.json', change({ seed: null }), 'seed must be a number, got null'],
  'a summary with an empty configuration': ['summary.json', change({ protocol: {} }), 'must be an integer from 1'],
  'metrics that are not lines of JSON': ['metrics.jsonl', () => 'epoch 0\n', 'metrics.jsonl, line 1: not JSON'],
  'metrics without an accuracy': ['metrics.jsonl', () => '{"epoch": 0}\n', 'line 1: no epoch with its test accuracy'],
  'metrics without epochs': ['metrics.jsonl', () => '', 'metrics.jsonl: no epoch is complete'],
};

for (const [name, [file, edit, message]] of Object.entries(cases)) {
  test(`curves and report refuse ${name}`, () =>
    inFolder(async (folder) => {
      const run = await validRun(folder);
      const path = join(run, file);
      writeFileSync(path, edit(readFileSync(path, 'utf8')));
      await rejected(
        Promise.resolve().then(() => curves([run])),
        message,
      );
      await rejected(report({ run }), message);
    }));
}

test('kfold refuses edited settings', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'settings.json');
    const valid = { model: 'nano', folds: 'reference', data: null, init: null };
    const texts: [string, string][] = [
      ['{', 'settings.json: not JSON'],
      [JSON.stringify({ ...valid, model: 1 }), 'settings.json: model is 1'],
      [JSON.stringify({ ...valid, folds: 'any' }), 'settings.json: folds are "any"'],
      [JSON.stringify({ ...valid, data: 3 }), 'settings.json: data and init must be paths or null'],
      [JSON.stringify(valid), 'settings.json: epochs must be'],
    ];
    for (const [text, message] of texts) {
      writeFileSync(path, text);
      await rejected(kfold({ out: folder }), message);
    }
  }));

test('mien confusion, curves, report and kfold report wrong arguments in one line', () =>
  inFolder(async (folder) => {
    const missing = join(folder, 'missing');
    const commands: [string[], string][] = [
      [['confusion'], 'confusion needs either --weights FILE or --evaluation FILE'],
      [['confusion', '--evaluation', missing], 'missing: cannot be read'],
      [['curves', missing, '--out', join(folder, 'x.gif')], 'x.gif: expected the extension .svg or .png'],
      [['report', missing], 'summary.json: does not exist'],
      [['kfold'], 'kfold needs --model'],
      [['kfold', '--model', 'nano', '--out', missing], 'data is required'],
      [['kfold', '--model', 'nano', '--seeds', '1,1'], 'Seeds must be distinct'],
      [['kfold', '--model', 'nano', '--only', 'all'], 'Expected a fold or a range like 3-5'],
      [['evaluate'], 'evaluate needs --weights'],
    ];
    for (const [args, message] of commands) refused(await mien(args), message);
  }));
