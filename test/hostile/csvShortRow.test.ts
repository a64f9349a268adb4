// A FER2013 file one of whose rows has lost pixels.
import { parseFer2013 } from '@mien/fer';
import { FormatError } from '@mien/nn';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const sentence = 'short.csv, line 3: expected 2304 pixels (48 x 48), got 3';

test('parseFer2013 refuses a row of three pixels', () => {
  const whole = Array.from({ length: 2304 }, () => 7).join(' ');
  const text = `emotion,pixels,Usage\n0,${whole},Training\n0,1 2 3,Training\n`;
  refuses(() => parseFer2013(text, 'short.csv'), FormatError, sentence);
});
