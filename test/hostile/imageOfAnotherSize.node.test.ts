// A CK+48 folder with an image that was not cropped.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CK_PLUS_CLASSES } from '@mien/fer';
import { readFaces } from '@mien/fer/node';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const expected = 'b.png: expected 48x48 pixels, got 64x48';

test('readFaces refuses an image of the wrong size', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mien-hostile-'));
  try {
    for (const name of CK_PLUS_CLASSES) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'anger', 'a.png'), PNG.sync.write(new PNG({ width: 48, height: 48 })));
    writeFileSync(join(folder, 'anger', 'b.png'), PNG.sync.write(new PNG({ width: 64, height: 48 })));
    const message = await readFaces(folder).then(String, (reason: Error) => reason.message);
    assert.match(message, expected);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
