// Pairs of faces side by side with their splits and labels, for the results of an audit.
import { PNG } from 'pngjs';
import { type Faces, PIXELS, SIDE } from '../../datasets/faces.ts';
import type { NearPair } from '../../datasets/near.ts';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';

/** Some of `total` pairs under one title. */
export interface SheetSection {
  readonly title: string;
  readonly total: number;
  readonly pairs: readonly NearPair[];
}

const FACE = 96;
const PAIR = 2 * FACE + 4;
const COLUMNS = 4;
const GAP = 28;
const ROW = FACE + 58;
const MARGIN = 40;

/** The sections as SVG, one below the other. */
export function contactSheet(faces: Faces, sections: readonly SheetSection[], title: string): string {
  const width = 2 * MARGIN + COLUMNS * PAIR + (COLUMNS - 1) * GAP;
  const parts = [text(title, MARGIN, 46, { size: 22, weight: 'bold' })];
  const splitOf = new Map<number, string>();
  for (const [name, rows] of Object.entries(faces.splits)) for (const row of rows) splitOf.set(row, name);
  let y = 70;
  for (const { title: heading, total, pairs } of sections) {
    parts.push(text(heading, MARGIN, y + 26, { size: 16, weight: 'bold' }));
    const shown = total === 0 ? 'none' : `${pairs.length} of ${total.toLocaleString('en')} shown`;
    const after = MARGIN + textWidth(heading, { size: 16, weight: 'bold' }) + 14;
    parts.push(text(shown, after, y + 26, { size: 13, fill: INK.quiet }));
    y += 44;
    for (const [i, pair] of pairs.entries()) {
      const x = MARGIN + (i % COLUMNS) * (PAIR + GAP);
      const top = y + Math.floor(i / COLUMNS) * ROW;
      for (const [side, row] of [pair.a, pair.b].entries()) {
        const left = x + side * (FACE + 4);
        const name = faces.classes[faces.labels[row] as number] ?? '';
        const place =
          faces.sources?.[row]
            ?.split('/')
            .at(-1)
            ?.replace(/\.\w+$/, '') ?? `row ${row}`;
        parts.push(
          `<image x="${left}" y="${top}" width="${FACE}" height="${FACE}" image-rendering="pixelated" href="${embedded(faces, row)}"/>`,
          text(name, left, top + FACE + 15, { size: 12, weight: 'bold' }),
          ...[splitOf.get(row) ?? [], place]
            .flat()
            .map((line, k) => text(line, left, top + FACE + 29 + 13 * k, { size: 9.5, fill: INK.quiet })),
        );
      }
      if (pair.correlation < 1) {
        const label = pair.correlation.toFixed(3);
        parts.push(text(label, x + PAIR, top + FACE + 15, { size: 10.5, anchor: 'end', fill: INK.quiet }));
      }
    }
    y += Math.ceil(pairs.length / COLUMNS) * ROW;
  }
  return picture(width, y + 24, parts);
}

function embedded(faces: Faces, row: number): string {
  const image = new PNG({ width: SIDE, height: SIDE });
  for (let i = 0; i < PIXELS; i++) {
    const value = faces.images[row * PIXELS + i] as number;
    image.data.set([value, value, value, 255], 4 * i);
  }
  return `data:image/png;base64,${PNG.sync.write(image).toString('base64')}`;
}
