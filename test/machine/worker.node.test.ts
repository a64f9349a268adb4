// Worker threads, as in test runners and servers: each opens its own device.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { NO_EMBEDDED, start, WITHOUT_VULKAN, withFolder } from './kit.ts';

/** A program whose main thread initializes Mien if `main`, then a worker does; each prints its adapter and a sum. */
const program = (main: boolean, options: string): string => `
import { isMainThread, SHARE_ENV, Worker } from 'node:worker_threads';
import { init, ones } from '@mien/tensor';
const work = async () => {
  try {
    const { facts } = await init();
    console.log(isMainThread ? 'main' : 'worker', facts.name, await ones([4]).sum().item());
  } catch (reason) {
    console.log(String(reason));
  }
};
if (!isMainThread || ${main}) await work();
if (isMainThread) new Worker(new URL(import.meta.url), ${options});
`;

async function printed(main: boolean, options: string): Promise<string> {
  let out = '';
  await withFolder((folder) => {
    writeFileSync(join(folder, 'program.ts'), program(main, options));
    out = start(process.execPath, ['scripts/run.mjs', join(folder, 'program.ts')], WITHOUT_VULKAN).out;
  });
  return out.trim();
}

test(
  'Mien works in a worker thread after the main thread where no Vulkan driver is visible',
  async () => {
    const out = await printed(true, '{}');
    ensure(out === 'main SwiftShader 4\nworker SwiftShader 4', out);
  },
  { skip: NO_EMBEDDED },
);

test(
  'Mien works in a worker thread alone that shares the environment where no Vulkan driver is visible',
  async () => {
    const out = await printed(false, '{ env: SHARE_ENV }');
    ensure(out === 'worker SwiftShader 4', out);
  },
  { skip: NO_EMBEDDED },
);

test(
  'Mien works in a worker thread alone where there is no Vulkan loader, and names the remedy where there is one',
  async () => {
    const out = await printed(false, '{}');
    const remedy = 'call init() in the main thread first, or start the worker with { env: SHARE_ENV }';
    ensure(out === 'worker SwiftShader 4' || out.includes(remedy), out);
  },
  { skip: NO_EMBEDDED },
);
