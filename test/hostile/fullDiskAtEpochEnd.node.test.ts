import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, mien, refused, validRun } from './kit.ts';

// Linux has a device that is always full. A link to it at a save's temporary file simulates a full disk.
const full = '/dev/full';
const skip = existsSync(full) ? undefined : `this system has no ${full}`;

for (const name of ['metrics.jsonl', 'summary.json', 'learning-curve.png']) {
  test(
    `mien train reports a full disk during the save of ${name} in one line, and keeps the previous file`,
    () =>
      inFolder(async (folder) => {
        const run = await validRun(folder);
        symlinkSync(full, join(run, `${name}.part`));
        const current = (): string =>
          JSON.stringify(JSON.parse(contentOf(run)).filter(([path]: [string]) => path.endsWith(name)));
        const before = current();
        refused(await mien(['train', '--resume', run, '--stop-after', '1']), `${name}: cannot be written (ENOSPC`);
        ensure(current() === before, `${name} changed`);
        ensure(!existsSync(join(run, `${name}.part`)), 'the temporary file was not removed');
      }),
    { skip },
  );
}
