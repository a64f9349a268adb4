// HDF5 files with data in another file: external storage, a virtual data set, an external link. Written by h5py 3.7, 2 to 6 KB each.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { readFaces } from '@mien/fer/node';
import { test } from '../harness.ts';
import { inFolder, rejected } from './kit.ts';

/** Training_pixel uint8 [4, 2304] in another file, Training_label int64 [4] in this one; zlib, base64. */
const FILES = [
  {
    by: 'external storage',
    other: 'secret.raw',
    packed:
      'eNrr9HBx4+WS4mIAAQ4OBhYGAQZk8B8KFDhQ+TD5BCjNCKU7oPQKJpg4I1hOAiouCDUfXV1IkKsrSPV/NACzJ4MFQnMwjIKRCDxcHQNAdASUrwGlTzChqgspSszMy8xLjy/IrEjNQeLnJCaB+LB0akCkvYwMbBA9jDA+xGZGJogAC0whJwNWPjMwvYNUCsCNgKRgViAN4jMxQQxiB5rLCFUDyjEGuNK7CkwckqOYGeE5RQVVYQBN40ECLd8HsKCqK05NLkot0StKLIfwg/38XRgZmOD6NrDitwfmbwXm0bSPmh5Z0dIjJEQZGVHTI4yGpz8OWJg6YE1/iPQEC3oFNJsnjAb+sE5XEMAETzcQAACJ3Ede',
  },
  {
    by: 'a virtual data set',
    other: 'source.h5',
    packed:
      'eNrtl79OwzAQxs92gkwQIjBVLGRkQl3YQW2gA2r504ENCqogoiqoCCmPUDYegzcpE69U7J4vii1ATDBwv+X0Oec7yfkcx8+d9sFqspmARWuIIIU6c0fW8DU9v3RRuDh18VXSuFg8c9Nh3dUP8/qneW6z5wHUpxlh1MD8Rzr5/rGN505vu/gm/bz+ZFCMi/HNxUNRDkc1PRpcWU0+bf6wr4AlnCNIY2chcSCixGX4VCvjd5uZViXQwbGJVkuJhbTbF5Eii2P2hpNWzbaSO4DyT9/DWbfXFiCr/VzG3+fTfs0Ue9j3VRz4CldUCN9XFCsfaVrTvS98hHUUFYQs6PzCi89UHLZ6RwvjpP45fgLBwf54/zS5Hu7c7poPkKqNW2RNNwKN5jU/Dsa1K93We9B/usbvgGEYhmEYhmEYhmF+C1G7ytOV3fIB2zhDAg==',
  },
  {
    by: 'an external link',
    other: 'source.h5',
    packed:
      'eNrr9HBx4+WS4mIAAQ4OBhYGAQZk8B8KFDhQ+TD5BCjNCKU7oPQKJpg4O1hOAiouADVfgRlVf0iQqyuy+ej2jIKRDTxcHQNAdASUD02ODCeYUNXB0mEAleyFpdcJLFB3oMlzAV3CiMRnY9CAuIPDgS+kKDEzLzMvPb4gsyI1h5eBoTi/tCg5VS/DlKEC4V5WiH5GGB+SUxgZIQJQa+E0M9A9IBkBDlgYOIBJVqg7mJiYGCHhAzGHmREWVApoLp8wKOOZCV5SYC8J2KD+YGRABG9OYlJqTgPzaCYZBaOATMAIz3+wcgYCAJ/gSwk=',
  },
] as const;

for (const { by, other, packed } of FILES) {
  for (const exists of [true, false]) {
    test(`readFaces refuses an HDF5 file that refers by ${by} to a file that ${exists ? 'exists' : 'does not exist'}`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'data.h5');
        writeFileSync(path, inflateSync(Buffer.from(packed, 'base64')));
        if (exists) writeFileSync(join(folder, other), new Uint8Array(4 * 48 * 48));
        await rejected(readFaces(path), 'expected a self-contained HDF5 file, got one that refers to');
      }));
  }
}
