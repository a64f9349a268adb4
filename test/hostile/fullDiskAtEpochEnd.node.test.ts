import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, mien, refused, soundRun } from './kit.ts';

// Linux keeps a device that is always full. Reached by the name that a save writes to first, it is a full disk to it.
const full = '/dev/full';
const skip = existsSync(full) ? undefined : `${full} is not on this system`;

for (const name of ['metrics.jsonl', 'summary.json', 'learning-curve.png']) {
  test(
    `mien train ends with one line when the disk is full while it saves ${name}, and the earlier file is as it was`,
    () =>
      inFolder(async (folder) => {
        const run = await soundRun(folder);
        symlinkSync(full, join(run, `${name}.part`));
        const earlier = (): string =>
          JSON.stringify(JSON.parse(contentOf(run)).filter(([path]: [string]) => path.endsWith(name)));
        const before = earlier();
        refused(await mien(['train', '--resume', run, '--stop-after', '1']), `${name}: cannot be written (ENOSPC`);
        ensure(earlier() === before, `${name} changed`);
        ensure(!existsSync(join(run, `${name}.part`)), 'a part is left beside it');
      }),
    { skip },
  );
}
