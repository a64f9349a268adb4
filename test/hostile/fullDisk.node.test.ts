// A full disk during a save: the temporary file is a link to /dev/full.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces } from '@mien/fer';
import { train } from '@mien/fer/node';
import { FileError } from '@mien/nn/files';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const message = /last\.safetensors: cannot be written \(ENOSPC.*the earlier file, if any, is unchanged/;

test(
  'train reports a full disk and keeps the previous checkpoint',
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'mien-full-'));
    try {
      const faces = drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
      const options = { faces, config: { epochs: 2, batchSize: 7 } };
      await train({ ...options, model: 'nano', out, stopAfter: 1 });
      const before = readFileSync(join(out, 'last.safetensors'));
      symlinkSync('/dev/full', join(out, 'last.safetensors.part'));
      const failure = await train({ faces, resume: out, stopAfter: 1 }).then(
        () => null,
        (reason: Error) => reason,
      );
      assert.instance(failure, FileError);
      assert.match((failure as Error).message, message);
      assert.ok(before.equals(readFileSync(join(out, 'last.safetensors'))));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  },
  { skip: existsSync('/dev/full') ? undefined : 'this system has no /dev/full' },
);
