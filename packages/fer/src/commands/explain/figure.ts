// The network input of each face, and its Grad-CAM map.
import { scaleLinear } from 'd3-scale';
import { SIDE } from '../../datasets/faces.ts';
import { grayImage, heatImage } from '../../figures/images.ts';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';
import { grayBytes, type Photo, resample } from '../../photos/photo.ts';
import type { FaceReading } from '../../prediction.ts';
import { share } from '../../runs/accuracy.ts';

/** A face and the map of the evidence for a class. */
export interface ExplainedReading {
  readonly face: FaceReading;
  readonly target: string;
  /** [48, 48], 0 to 1. */
  readonly map: Float32Array;
  readonly peak: number;
}

const LEFT = 40;
const TOP = 96;
const SIZE = 240;
const GAP = 14;
const ROW = SIZE + 78;
/** Opacity of the colors over the face. */
const COVER = 0.55;
/** From dark to bright, so that it also works without colors. */
const heat = scaleLinear(
  [0, 0.25, 0.5, 0.75, 1],
  ['rgb(20, 11, 53)', 'rgb(101, 21, 110)', 'rgb(188, 55, 84)', 'rgb(245, 125, 21)', 'rgb(252, 239, 130)'],
);

/** The faces as SVG, one below the other: the 48x48 input, the same part of the photo, and the map over it. */
export async function explanationFigure(
  photo: Photo,
  faces: readonly ExplainedReading[],
  title: string,
  note = '',
): Promise<string> {
  const right = LEFT + 3 * SIZE + 2 * GAP;
  const width = Math.max(right + LEFT, ...[title, note].map((line) => 2 * LEFT + textWidth(line, { size: 16 })));
  const parts = [
    text(title, LEFT, 42, { size: 21, weight: 'bold' }),
    text(note, LEFT, 66, { size: 13.5, fill: INK.quiet }),
  ];
  for (const [i, face] of faces.entries()) parts.push(...(await row(photo, face, TOP + i * ROW)));
  if (faces.length === 0) parts.push(text('no face', LEFT, TOP + 24, { size: 18, weight: 'bold' }));
  const end = TOP + Math.max(faces.length * ROW, 40);
  if (faces.length > 0) parts.push(...legend(right - SIZE, end));
  return picture(Math.ceil(width), end + 64, parts);
}

async function row(photo: Photo, { face, target, map, peak }: ExplainedReading, y: number): Promise<string[]> {
  const crop = grayBytes(resample(photo, face.crop, 2 * SIZE, 2 * SIZE));
  const [second, third] = [LEFT + SIZE + GAP, LEFT + 2 * (SIZE + GAP)];
  const colors = Uint8Array.from(
    { length: SIDE * SIDE * 3 },
    (_, i) => channels(map[Math.floor(i / 3)] as number)[i % 3] as number,
  );
  const probability = share(face.probabilities[target] as number);
  const taken = target === face.expression ? '' : `; predicted as ${face.expression}, ${share(face.probability)}`;
  const caption = `${target}, ${probability}${taken}${face.unsure ? '; unsure' : ''}${peak > 0 ? '' : '; no evidence for it'}`;
  const under = (line: string, x: number): string => text(line, x, y + SIZE + 20, { size: 12.5, fill: INK.quiet });
  return [
    text(caption, LEFT, y + 10, { size: 15, weight: 'bold' }),
    `<g transform="translate(0 22)">`,
    await grayImage(face.seen, LEFT, y, SIZE),
    await grayImage(crop, second, y, SIZE),
    await grayImage(crop, third, y, SIZE),
    await heatImage(colors, third, y, SIZE, COVER),
    under('what the network saw, 48x48', LEFT),
    under('the same of the photo', second),
    under(`what speaks for ${target}`, third),
    '</g>',
  ];
}

/** The color scale, over medium gray. */
function legend(x: number, y: number): string[] {
  const bar = { width: 150, height: 10 };
  const start = x + SIZE - bar.width;
  const stops = [0, 0.25, 0.5, 0.75, 1].map((at) => `<stop offset="${at}" stop-color="${heat(at)}"/>`);
  const place = `x="${start}" y="${y + 8}" width="${bar.width}" height="${bar.height}"`;
  return [
    `<linearGradient id="heat">${stops.join('')}</linearGradient>`,
    `<rect ${place} fill="#808080"/><rect ${place} fill="url(#heat)" fill-opacity="${COVER}"/>`,
    text('nothing', start, y + 34, { size: 12, fill: INK.quiet }),
    text('most', start + bar.width, y + 34, { size: 12, fill: INK.quiet, anchor: 'end' }),
  ];
}

function channels(value: number): number[] {
  return (heat(value).match(/\d+/g) as string[]).map(Number);
}
