// Test loss and accuracy of several runs over epochs in one figure, with a line of text per run.
import type { CurvePoint } from '../../figures/learningCurve.ts';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';
import { axes, curve } from '../../figures/panel.ts';

/** A run with its name and the text of its line. */
export interface ComparedRun {
  readonly name: string;
  readonly caption: string;
  readonly points: readonly CurvePoint[];
}

const COLORS = ['#d9480f', '#1971c2', '#2f9e44', '#9c36b5', '#e8a500', '#0c8599', '#e64980', '#5c6370'] as const;
/** Dash patterns of runs beyond the number of colors. */
const DASHES = ['', '7 6', '2 6'] as const;
const TOP = 112;
const BOTTOM = 400;
const PANEL = 410;
const ROW = 24;

/** Maximum number of distinguishable runs in one figure. */
export const MOST_COMPARED: number = COLORS.length * DASHES.length;

/** The runs as SVG; `note` is printed below the title. */
export function runComparison(runs: readonly ComparedRun[], title: string, note = ''): string {
  const all = runs.flatMap(({ points }) => points);
  const epochs = [1 + Math.min(...all.map((p) => p.epoch)), 1 + Math.max(...all.map((p) => p.epoch))] as const;
  const accuracies = all.map((p) => p.testAccuracy);
  const span = [Math.min(...accuracies), Math.max(...accuracies)] as const;
  const common = { top: TOP, bottom: BOTTOM, epochs };
  const loss = axes({
    ...common,
    title: 'Test loss',
    left: 80,
    right: 80 + PANEL,
    range: [0, Math.max(...all.map((p) => p.testLoss).filter(Number.isFinite), 0.1)],
    tick: String,
  });
  const accuracy = axes({
    ...common,
    title: 'Test accuracy',
    left: 590,
    right: 590 + PANEL,
    range: [Math.max(0, span[0] - 0.02), Math.min(1, span[1] + 0.02)],
    tick: (v) => `${Number((100 * v).toFixed(1))} %`,
  });
  const parts = [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(note, 40, 66, { size: 13.5, fill: INK.quiet }),
    ...loss.parts,
    ...accuracy.parts,
  ];
  const names = Math.max(...runs.map(({ name }) => textWidth(name, { size: 13.5, weight: 'bold' })));
  let width = 1040;
  let y = BOTTOM + 76;
  for (const [i, { name, caption, points }] of runs.entries()) {
    const color = COLORS[i % COLORS.length] as string;
    const dashes = DASHES[Math.floor(i / COLORS.length)] ?? '';
    const pointsOf = (value: 'testLoss' | 'testAccuracy') =>
      points.map((p) => ({ epoch: p.epoch + 1, value: p[value] }));
    parts.push(
      ...curve(pointsOf('testLoss'), loss, color, dashes),
      ...curve(pointsOf('testAccuracy'), accuracy, color, dashes),
      `<line x1="40" x2="68" y1="${y - 4.5}" y2="${y - 4.5}" stroke="${color}" stroke-width="3" stroke-dasharray="${dashes}"/>`,
      text(name, 80, y, { size: 13.5, weight: 'bold' }),
      text(caption, 100 + names, y, { size: 13.5, fill: INK.quiet }),
    );
    width = Math.max(width, 140 + names + textWidth(caption, { size: 13.5 }));
    y += ROW;
  }
  return picture(Math.ceil(width), y + 8, parts);
}
