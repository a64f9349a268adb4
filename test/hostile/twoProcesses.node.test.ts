// Two processes in one run folder: the second is refused, and nothing is lost.
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, rejected, validFile, validRun } from './kit.ts';

test('train refuses a folder in use by another process', () =>
  inFolder(async (folder) => {
    const [data, out] = [await validFile(folder), join(folder, 'run')];
    const options = { model: 'nano', data, out, config: { epochs: 1, batchSize: 14 } } as const;
    const both = await Promise.allSettled([train(options), train(options)]);
    const refused = both.filter(({ status }) => status === 'rejected');
    ensure(refused.length === 1, JSON.stringify(both));
    ensure(
      `${(refused[0] as PromiseRejectedResult).reason}`.includes(`is in use by another process (${process.pid} on`),
      `${refused}`,
    );
    await rejected(train(options), 'already contains a run');
  }));

test('train refuses to resume a run in use by another process, and changes no file', () =>
  inFolder(async (folder) => {
    const run = await validRun(folder);
    writeFileSync(join(run, 'claimed'), `${process.ppid} ${hostname()}\n`);
    const before = contentOf(run);
    await rejected(train({ resume: run }), `is in use by another process (${process.ppid} on`);
    ensure(contentOf(run) === before, 'a file of the run changed');
  }));

test('train takes the next free name if another process has just taken the first', () =>
  inFolder(async (folder) => {
    const data = await validFile(folder);
    const before = process.cwd();
    process.chdir(folder);
    try {
      const options = { model: 'nano', data, stopAfter: 1, config: { epochs: 1, batchSize: 14 } } as const;
      const outs = (await Promise.all([train(options), train(options)])).map(({ out }) => out);
      ensure(new Set(outs).size === 2, `${outs}`);
    } finally {
      process.chdir(before);
    }
  }));

test('train takes over a folder whose process has ended', () =>
  inFolder(async (folder) => {
    const [data, out] = [await validFile(folder), join(folder, 'run')];
    mkdirSync(out);
    writeFileSync(join(out, 'claimed'), `4194305 ${hostname()}\n`);
    const { summary } = await train({ model: 'nano', data, out, stopAfter: 1, config: { epochs: 1, batchSize: 14 } });
    ensure(summary.steps === 1, JSON.stringify(summary));
  }));
