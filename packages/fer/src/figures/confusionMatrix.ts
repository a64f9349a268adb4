// A confusion matrix: rows are labels, columns predictions; the shade is the share of the row.
import { scaleLinear } from 'd3-scale';
import type { ConfusionMatrix } from '../metrics.ts';
import { INK, picture, text, textWidth } from './lettering.ts';

const CELL = 74;
const TOP = 128;
const GAP = 3;

/** The content of the cells: the number of images, their share of the row, or both. */
export type Cells = 'counts' | 'percent' | 'both';

/** The matrix as SVG; `note` is printed below the title. */
export function confusionMatrix(matrix: ConfusionMatrix, title: string, note = '', cells: Cells = 'both'): string {
  const { classes } = matrix;
  const shade = scaleLinear([0, 0.15, 1], ['#f6f8fb', '#c9dcf3', '#08519c']);
  const left = 72 + Math.max(...classes.map((name) => textWidth(name, { size: 14 })));
  const side = CELL * classes.length;
  const width = Math.max(
    left + side + 44,
    80 + textWidth(title, { size: 21, weight: 'bold' }),
    80 + textWidth(note, { size: 13.5 }),
  );
  const parts = [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(note, 40, 66, { size: 13.5, fill: INK.quiet }),
    text('predicted class', left + side / 2, TOP - 34, { size: 13, fill: INK.quiet, anchor: 'middle' }),
    text('true class', 36, TOP + side / 2, { size: 13, fill: INK.quiet, anchor: 'middle', turn: -90 }),
  ];
  for (const [row, name] of classes.entries()) {
    const y = TOP + row * CELL;
    const total = matrix.rowTotal(row);
    parts.push(
      text(name, left - 14, y + CELL / 2 + 5, { size: 14, anchor: 'end' }),
      text(name, left + row * CELL + CELL / 2, TOP - 11, { size: 12.5, anchor: 'middle' }),
    );
    for (const column of classes.keys()) {
      const x = left + column * CELL;
      const n = matrix.count(row, column);
      const share = total === 0 ? 0 : n / total;
      const fill = share > 0.5 ? '#ffffff' : INK.text;
      const place = `x="${x + GAP / 2}" y="${y + GAP / 2}" width="${CELL - GAP}" height="${CELL - GAP}"`;
      parts.push(`<rect ${place} rx="6" fill="${shade(share)}"/>`);
      if (n === 0) continue;
      const strength = row === column ? 'bold' : 'regular';
      const percentage = share > 0 && share < 0.095 ? (100 * share).toFixed(1) : (100 * share).toFixed(0);
      const main = cells === 'counts' ? String(n) : `${percentage} %`;
      const middle = y + CELL / 2 + (cells === 'both' ? 1 : 5);
      parts.push(text(main, x + CELL / 2, middle, { size: 15.5, weight: strength, fill, anchor: 'middle' }));
      if (cells !== 'both') continue;
      const quiet = share > 0.5 ? '#dbe9f9' : INK.quiet;
      parts.push(text(String(n), x + CELL / 2, y + CELL / 2 + 19, { size: 11.5, fill: quiet, anchor: 'middle' }));
    }
  }
  return picture(Math.ceil(width), TOP + side + 36, parts);
}
