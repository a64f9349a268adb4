// A photo with its faces, and per face the network input, a bar per class, and the prediction.

import { emoji } from '../../figures/emoji.ts';
import { grayImage, photoImage } from '../../figures/images.ts';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';
import type { Photo } from '../../photos/photo.ts';
import type { FaceReading } from '../../prediction.ts';
import { share } from '../../runs/accuracy.ts';

const LEFT = 40;
const TOP = 92;
/** Longest side of the photo in the figure. */
const PHOTO = 520;
const SEEN = 144;
const CARD = { width: 500, height: 186 } as const;
/** Scale of the card of a single face. */
const ALONE = 1.4;
const BARS = 120;

/** The figure of one photo as SVG; boxes are in pixels of `photo`. */
export async function predictionFigure(
  photo: Photo,
  faces: readonly FaceReading[],
  title: string,
  note = '',
): Promise<string> {
  const scale = PHOTO / Math.max(photo.width, photo.height);
  const [width, height] = [photo.width * scale, photo.height * scale];
  const several = faces.length > 1;
  const size = several ? 1 : ALONE;
  const rows = Math.min(faces.length, 3);
  const columns = Math.ceil(faces.length / 3);
  const cards = LEFT + width + 28;
  const parts = [
    text(title, LEFT, 42, { size: 21, weight: 'bold' }),
    text(note, LEFT, 66, { size: 13.5, fill: INK.quiet }),
    await photoImage(photo, LEFT, TOP, width, height),
    `<clipPath id="photo"><rect x="${LEFT}" y="${TOP}" width="${width}" height="${height}"/></clipPath>`,
    ...faces.map((face, i) => frame(face, several ? i + 1 : null, scale)),
  ];
  for (const [i, face] of faces.entries()) {
    const [x, y] = [cards + Math.floor(i / rows) * CARD.width, TOP + (i % rows) * CARD.height];
    const drawn = await card(face, several ? i + 1 : null);
    parts.push(`<g transform="translate(${x} ${y}) scale(${size})">${drawn.join('')}</g>`);
  }
  if (faces.length === 0) parts.push(text('no face', cards, TOP + 24, { size: 18, weight: 'bold' }));
  const right = faces.length === 0 ? cards + 120 : cards + columns * CARD.width * size;
  const widest = Math.max(textWidth(title, { size: 21, weight: 'bold' }), textWidth(note, { size: 13.5 }));
  return picture(
    Math.ceil(Math.max(right, LEFT + widest + LEFT)),
    Math.ceil(TOP + Math.max(height, rows * CARD.height * size - 42) + 36),
    parts,
  );
}

/** A face's box over the photo, numbered where there are several. */
function frame({ box }: FaceReading, number: number | null, scale: number): string {
  const [x, y] = [LEFT + box.left * scale, TOP + box.top * scale];
  const [width, height] = [box.width * scale, box.height * scale];
  const line = (color: string, thick: number): string =>
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="none" stroke="${color}" stroke-width="${thick}"/>`;
  const parts = [line(INK.paper, 4.5), line(INK.test, 2.5)];
  if (number !== null) {
    const above = y - 26 > TOP ? y - 13 : y + height + 13;
    parts.push(badge(number, Math.max(x, LEFT) + 11, above));
  }
  return `<g clip-path="url(#photo)">${parts.join('')}</g>`;
}

function badge(number: number, x: number, y: number): string {
  return `<circle cx="${x}" cy="${y}" r="11" fill="${INK.test}"/>${text(String(number), x, y + 4.5, {
    size: 13,
    weight: 'bold',
    fill: INK.paper,
    anchor: 'middle',
  })}`;
}

/** The card of one face, at (0, 0). */
async function card(face: FaceReading, number: number | null): Promise<string[]> {
  const { expression, probability, unsure, probabilities } = face;
  const names = Object.keys(probabilities);
  const left = SEEN + 16 + Math.max(...names.map((name) => textWidth(name, { size: 12.5 })));
  const row = SEEN / names.length;
  const parts = [await grayImage(face.seen, 0, 0, SEEN)];
  if (number !== null) parts.push(badge(number, 13, 13));
  for (const [i, name] of names.entries()) {
    const value = probabilities[name] as number;
    const best = name === expression;
    const middle = row * (i + 0.5);
    const fill = best && !unsure ? INK.test : INK.train;
    parts.push(
      text(name, left - 4, middle + 4.5, { size: 12.5, anchor: 'end', weight: best ? 'bold' : 'regular' }),
      `<rect x="${left + 4}" y="${middle - 6}" width="${Math.max(1, BARS * value).toFixed(2)}" height="12" rx="2.5" fill="${fill}"/>`,
      text(share(value), left + 10 + Math.max(1, BARS * value), middle + 4.5, { size: 12, fill: INK.quiet }),
    );
  }
  const middle = CARD.width - 74;
  parts.push(
    unsure ? question(middle, 52) : emoji(expression, middle, 52, 84),
    text(unsure ? 'unsure' : expression, middle, 118, { size: 15, weight: 'bold', anchor: 'middle' }),
    text(unsure ? `${expression}?` : share(probability), middle, 138, {
      size: 13,
      fill: INK.quiet,
      anchor: 'middle',
    }),
  );
  return parts;
}

function question(x: number, y: number): string {
  return `<circle cx="${x}" cy="${y}" r="42" fill="${INK.grid}"/>${text('?', x, y + 17, {
    size: 48,
    weight: 'bold',
    fill: INK.quiet,
    anchor: 'middle',
  })}`;
}
