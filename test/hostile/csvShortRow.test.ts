// A FER2013 file with too few pixels in a row.
import { parseFer2013 } from '@mien/fer';
import { FormatError } from '@mien/nn';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const message = 'short.csv, line 3: expected 2304 pixels (48 x 48), got 3';

test('parseFer2013 refuses a row of three pixels', () => {
  const complete = Array.from({ length: 2304 }, () => 7).join(' ');
  const text = `emotion,pixels,Usage\n0,${complete},Training\n0,1 2 3,Training\n`;
  refuses(() => parseFer2013(text, 'short.csv'), FormatError, message);
});
