// Text as outlines, so that figures do not depend on installed fonts.

import regular from '@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf';
import bold from '@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf';
import { Resvg } from '@resvg/resvg-js';
import opentype from 'opentype.js';

/** Style of a line of text: `anchor` is its part at x; `turn` rotates it about (x, y), in degrees. */
export interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly weight?: 'regular' | 'bold';
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly turn?: number;
}

/** The colors of all figures. */
export const INK = {
  text: '#1b1f24',
  quiet: '#6b7280',
  grid: '#e5e7eb',
  axis: '#9ca3af',
  train: '#8796a8',
  test: '#d9480f',
  paper: '#ffffff',
} as const;

const fonts = new Map<string, opentype.Font>();

function font(weight: 'regular' | 'bold'): opentype.Font {
  let made = fonts.get(weight);
  if (!made) {
    const bytes = weight === 'bold' ? bold : regular;
    made = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
    fonts.set(weight, made);
  }
  return made;
}

/** The width of `content` in pixels, without kerning, which Inter does not need at these sizes. */
export function textWidth(content: string, { size = 14, weight = 'regular' }: TextStyle = {}): number {
  const { unitsPerEm } = font(weight);
  let width = 0;
  for (const letter of content) width += advance(letter, weight);
  return (width * size) / unitsPerEm;
}

/** `content` as an SVG path whose baseline is at (x, y). */
export function text(content: string, x: number, y: number, style: TextStyle = {}): string {
  const { size = 14, fill = INK.text, weight = 'regular', anchor = 'start', turn = 0 } = style;
  const perUnit = size / font(weight).unitsPerEm;
  let pen = x - { start: 0, middle: 0.5, end: 1 }[anchor] * textWidth(content, style);
  let outline = '';
  for (const letter of content) {
    outline += font(weight).charToGlyph(letter).getPath(pen, y, size).toPathData(2);
    pen += advance(letter, weight) * perUnit;
  }
  const turned = turn === 0 ? '' : ` transform="rotate(${turn} ${x} ${y})"`;
  return `<path d="${outline}" fill="${fill}"${turned}/>`;
}

function advance(letter: string, weight: 'regular' | 'bold'): number {
  return font(weight).charToGlyph(letter).advanceWidth ?? 0;
}

/** A figure from its parts, on a white background. */
export function picture(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="${INK.paper}"/>`,
    ...parts,
    '</svg>',
  ].join('\n');
}

/** An SVG figure as a PNG file with twice its width and height in pixels. */
export function png(svg: string): Uint8Array {
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: 2 }, font: { loadSystemFonts: false } }).render().asPng();
}
