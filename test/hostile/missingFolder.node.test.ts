// A path that does not exist.
import { readFaces } from '@mien/fer/node';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const expected = "no/such/folder: no such file or folder; pass the path of a fer2013.csv or of a data set's folder";

test('readFaces refuses a missing folder', async () => {
  const message = await readFaces('no/such/folder').then(String, (reason: Error) => reason.message);
  assert.is(message, expected);
});
