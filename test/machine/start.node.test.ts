// `npm start` without a visible Vulkan driver: the embedded SwiftShader trains, and the run folder is complete.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { NO_EMBEDDED, start, WITHOUT_VULKAN, withFolder } from './kit.ts';

test(
  'npm start trains on the embedded SwiftShader where no Vulkan driver is visible',
  () =>
    withFolder((folder) => {
      const out = join(folder, 'start');
      const ended = start('npm', ['start', '--', '--epochs', '1', '--out', out], WITHOUT_VULKAN);
      ensure(ended.code === 0, `it ended with ${ended.code}: ${ended.out}${ended.err}`);
      ensure(
        `${ended.out}${ended.err}`.includes('SwiftShader'),
        `it does not name its adapter: ${ended.out}${ended.err}`,
      );
      for (const file of ['last.safetensors', 'learning-curve.png', 'face.png'])
        ensure(existsSync(join(out, file)), `${file} is missing: ${ended.out}`);
    }),
  { seconds: 300, skip: NO_EMBEDDED },
);
