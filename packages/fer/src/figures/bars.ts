// Horizontal bars in groups, each with its own scale.
import { scaleLinear } from 'd3-scale';
import { INK, picture, text, textWidth } from './lettering.ts';

/** One bar from 0 to `value`, with a line from `low` to `high` and `label` at its end. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly label: string;
}

/** Bars on one scale. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const BARS = 460;
const ROW = 22;
const HEAD = 52;
const TOP = 84;

/** The groups as SVG, one below the other; `note` is printed below the title. */
export function bars(groups: readonly BarGroup[], title: string, note = ''): string {
  const all = groups.flatMap((group) => group.bars);
  const left = 56 + Math.max(0, ...all.map(({ name }) => textWidth(name, { size: 12.5 })));
  const right = left + BARS;
  const labels = Math.max(0, ...all.map(({ label }) => textWidth(label, { size: 12.5 })));
  const width = Math.max(
    right + labels + 52,
    80 + textWidth(title, { size: 21, weight: 'bold' }),
    80 + textWidth(note, { size: 13.5 }),
  );
  const parts = [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(note, 40, 66, { size: 13.5, fill: INK.quiet }),
  ];
  let y = TOP;
  for (const group of groups) {
    parts.push(...rows(group, left, y));
    y += HEAD + ROW * group.bars.length;
  }
  return picture(Math.ceil(width), y + 28, parts);
}

function rows({ title, bars }: BarGroup, left: number, top: number): string[] {
  const most = Math.max(0, ...bars.map(({ value, high }) => Math.max(value, high)));
  const x = scaleLinear([0, most > 0 ? most : 1], [left, left + BARS]);
  const first = top + HEAD;
  const parts = [text(title, 40, top + 36, { size: 15, weight: 'bold' })];
  for (const [row, { name, value, low, high, label }] of bars.entries()) {
    const middle = first + ROW * row + ROW / 2;
    const end = x(Math.max(value, high));
    parts.push(
      text(name, left - 12, middle + 4.5, { size: 12.5, anchor: 'end' }),
      `<rect x="${left}" y="${middle - 7}" width="${(x(value) - left).toFixed(2)}" height="14" rx="3" fill="${INK.train}"/>`,
      text(label, end + 10, middle + 4.5, { size: 12.5, fill: INK.quiet }),
    );
    if (low === high) continue;
    const [from, to] = [x(low).toFixed(2), x(high).toFixed(2)];
    const line = `M${from},${middle}H${to}M${from},${middle - 4}v8M${to},${middle - 4}v8`;
    parts.push(`<path d="${line}" fill="none" stroke="${INK.text}" stroke-width="1.2"/>`);
  }
  return parts;
}
