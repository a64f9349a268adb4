// A FER2013 file with an unknown class.
import { parseFer2013 } from '@mien/fer';
import { FormatError } from '@mien/nn';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const message = 'nine.csv, line 2: emotion must be 0 to 6, got "9"';

test('parseFer2013 refuses a label of 9', () => {
  const pixels = Array.from({ length: 2304 }, () => 7).join(' ');
  refuses(() => parseFer2013(`emotion,pixels,Usage\n9,${pixels},Training\n`, 'nine.csv'), FormatError, message);
});
