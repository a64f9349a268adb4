// Two processes in one run folder: the second one is refused, whichever way it names the folder, and nothing is lost.

import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, rejected, soundFile, soundRun } from './kit.ts';

test('train refuses a folder that another process trains in', () =>
  inFolder(async (folder) => {
    const [data, out] = [await soundFile(folder), join(folder, 'run')];
    const options = { model: 'nano', data, out, protocol: { epochs: 1, batchSize: 14 } } as const;
    const both = await Promise.allSettled([train(options), train(options)]);
    const refused = both.filter(({ status }) => status === 'rejected');
    ensure(refused.length === 1, JSON.stringify(both));
    ensure(
      `${(refused[0] as PromiseRejectedResult).reason}`.includes(`is in use by another process (${process.pid} on`),
      `${refused}`,
    );
    await rejected(train(options), 'already contains a run');
  }));

test('train resumes no run that another process trains, and leaves it as it is', () =>
  inFolder(async (folder) => {
    const run = await soundRun(folder);
    writeFileSync(join(run, 'claimed'), `${process.ppid} ${hostname()}\n`);
    const before = contentOf(run);
    await rejected(train({ resume: run }), `is in use by another process (${process.ppid} on`);
    ensure(contentOf(run) === before, 'the folder has changed');
  }));

test('train takes the next free name where another process has just taken the first', () =>
  inFolder(async (folder) => {
    const data = await soundFile(folder);
    const before = process.cwd();
    process.chdir(folder);
    try {
      const options = { model: 'nano', data, stopAfter: 1, protocol: { epochs: 1, batchSize: 14 } } as const;
      const outs = (await Promise.all([train(options), train(options)])).map(({ out }) => out);
      ensure(new Set(outs).size === 2, `${outs}`);
    } finally {
      process.chdir(before);
    }
  }));

test('train takes over a folder whose process no longer runs', () =>
  inFolder(async (folder) => {
    const [data, out] = [await soundFile(folder), join(folder, 'run')];
    mkdirSync(out);
    writeFileSync(join(out, 'claimed'), `4194305 ${hostname()}\n`);
    const { summary } = await train({ model: 'nano', data, out, stopAfter: 1, protocol: { epochs: 1, batchSize: 14 } });
    ensure(summary.steps === 1, JSON.stringify(summary));
  }));
