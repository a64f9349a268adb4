// A panel of a curve figure: axes over epochs, and lines.
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { INK, text } from './lettering.ts';

/** Position of a panel in pixels, and its values. */
export interface Panel {
  readonly title: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly epochs: readonly [first: number, last: number];
  readonly range: readonly [number, number];
  /** Formats the values of the axis. */
  readonly tick: (value: number) => string;
}

/** Axes as SVG parts, with their scales. */
export interface Axes {
  readonly parts: readonly string[];
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
}

/** Title, grid and axes of a panel. */
export function axes({ title, left, right, top, bottom, epochs, range, tick }: Panel): Axes {
  const x = scaleLinear([epochs[0], Math.max(epochs[1], epochs[0] + 1)], [left, right]);
  const y = scaleLinear(range, [bottom, top + 14]).nice(5);
  const parts = [text(title, left, top - 8, { size: 15, weight: 'bold' })];
  for (const value of y.ticks(5)) {
    parts.push(
      `<line x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}" stroke="${INK.grid}"/>`,
      text(tick(value), left - 10, y(value) + 4.5, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
    );
  }
  for (const epoch of x.ticks(6).filter(Number.isInteger)) {
    parts.push(text(String(epoch), x(epoch), bottom + 22, { size: 12.5, fill: INK.quiet, anchor: 'middle' }));
  }
  parts.push(
    `<line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="${INK.axis}"/>`,
    text('epoch', right, bottom + 42, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
  );
  return { parts, x, y };
}

/** A value at an epoch. */
export interface Point {
  readonly epoch: number;
  readonly value: number;
}

/** A line through the finite points, with a dot at its end; empty without points. */
export function curve(points: readonly Point[], { x, y }: Axes, fill: string, dashes = ''): string[] {
  const drawn = points.filter(({ value }) => Number.isFinite(value));
  const end = drawn.at(-1);
  if (!end) return [];
  const path = drawn.map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.epoch).toFixed(2)},${y(p.value).toFixed(2)}`).join('');
  const dashed = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  return [
    `<path d="${path}" fill="none" stroke="${fill}" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"${dashed}/>`,
    `<circle cx="${x(end.epoch)}" cy="${y(end.value)}" r="3.5" fill="${fill}"/>`,
  ];
}
