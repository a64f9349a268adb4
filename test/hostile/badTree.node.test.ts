// Image folder trees with an unknown class, without images, and with a file that is not an image.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFaces } from '@mien/fer/node';
import { test } from '../harness.ts';
import { inFolder, rejected } from './kit.ts';

test('readFaces refuses an unknown class, a tree without images, and a broken image', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'train', 'bored');
    mkdirSync(path, { recursive: true });
    await rejected(readFaces(folder), 'expected a folder named after a class of FER2013');
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'train', 'happy'), { recursive: true });
    await rejected(readFaces(tree), 'no images in <split>/<class>/');
    writeFileSync(join(tree, 'train', 'happy', 'a.png'), 'not an image');
    await rejected(readFaces(tree), 'a.png: expected JPEG');
  }));
