import { Fer2013Reader, fer2013Lines, PIXELS, parseFer2013, split } from '@mien/fer';
import { FormatError } from '@mien/nn';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const gray = (value: number): string => Array.from({ length: PIXELS }, () => value).join(' ');
const header = 'emotion,pixels,Usage\n';

/** The message of the FormatError that reading `text` throws. */
function refusal(text: string): string {
  try {
    parseFer2013(text, 'a.csv');
  } catch (reason) {
    if (reason instanceof FormatError) return reason.message;
    throw reason;
  }
  return 'accepted';
}

const rows = fc.array(
  fc.record({
    label: fc.integer({ min: 0, max: 6 }),
    usage: fc.constantFrom('Training', 'PublicTest', 'PrivateTest'),
    seed: fc.integer({ min: 0, max: 1000 }),
  }),
  { minLength: 1, maxLength: 5 },
);

law(
  'Fer2013Reader reads the same faces for any chunks, column order, quotes and line ends',
  fc.record({
    rows,
    order: fc.shuffledSubarray(['emotion', 'pixels', 'Usage'], { minLength: 3 }),
    quote: fc.boolean(),
    end: fc.constantFrom('\n', '\r\n'),
    mark: fc.boolean(),
    finalEnd: fc.boolean(),
    piece: fc.integer({ min: 1, max: 9000 }),
  }),
  (c) => {
    const pixelsOf = (seed: number): number[] => Array.from({ length: PIXELS }, (_, i) => (i * 7 + seed * 13) % 256);
    const wrap = (field: string): string => (c.quote ? `"${field}"` : field);
    const lines = [
      c.order.map((name) => wrap(` ${name} `)).join(','),
      ...c.rows.map((row) => {
        const fields: Record<string, string> = {
          emotion: String(row.label),
          pixels: pixelsOf(row.seed).join(' '),
          Usage: row.usage,
        };
        return c.order.map((name) => wrap(fields[name] as string)).join(',');
      }),
    ];
    const text = (c.mark ? '\uFEFF' : '') + lines.join(c.end) + (c.finalEnd ? c.end : '');
    const reader = new Fer2013Reader('any.csv');
    for (let at = 0; at < text.length; at += c.piece) reader.push(text.slice(at, at + c.piece));
    const faces = reader.end();
    assert.equal(
      [...faces.labels],
      c.rows.map((row) => row.label),
    );
    assert.equal(
      [...faces.images],
      c.rows.flatMap((row) => pixelsOf(row.seed)),
    );
    for (const usage of ['Training', 'PublicTest', 'PrivateTest']) {
      assert.equal(
        [...split(faces, usage).indices],
        c.rows.flatMap((row, i) => (row.usage === usage ? [i] : [])),
      );
    }
  },
  { runs: 30 },
);

test('fer2013Lines and parseFer2013 are inverse, byte for byte', () => {
  const text = `${header}3,${gray(0)},Training\n6,${gray(255)},PublicTest\n`;
  const faces = parseFer2013(text);
  const parts = ['Training', 'PublicTest'].map((usage) => ({ usage, split: split(faces, usage) }));
  assert.is([...fer2013Lines(parts)].join(''), text);
});

test('parseFer2013 names the line of a short row, a bad label, a bad usage and a bad pixel', () => {
  const good = `3,${gray(9)},Training\n`;
  assert.is(refusal(`${header}${good}3,1 2 3,Training\n`), 'a.csv, line 3: expected 2304 pixels (48 x 48), got 3');
  assert.is(refusal(`${header}${good}9,${gray(1)},Training\n`), 'a.csv, line 3: emotion must be 0 to 6, got "9"');
  assert.match(
    refusal(`${header}3,${gray(1)},Testing\n`),
    'line 2: Usage must be one of Training, PublicTest, PrivateTest, got "Testing"',
  );
  assert.is(refusal(`${header}3,${gray(256)},Training\n`), 'a.csv, line 2: pixel 1 is over 255');
  assert.match(refusal(`${header}3,${gray(1)} x,Training\n`), 'line 2: pixel 2305: expected a digit, got "x"');
  assert.match(refusal(`${header}${good}3,${gray(1)}\n`), 'line 3: expected 3 columns, got 2');
  assert.match(refusal(`${header}${good}3,"${gray(1)},Training\n${good}`), 'line 3');
});

test('parseFer2013 refuses a file without the columns, without rows, without lines', () => {
  assert.match(refusal('a,b,c\n'), 'line 1: expected the columns emotion,pixels,Usage, got a,b,c without emotion');
  assert.match(refusal(''), 'empty');
  assert.match(refusal(header), 'expected rows');
  assert.match(refusal('x'.repeat(100_000)), 'line 1: over 65536 characters without a line end');
});
