// Loss and accuracy over epochs, side by side.
import { INK, picture, text, textWidth } from './lettering.ts';
import { type Axes, axes, curve, type Point } from './panel.ts';

/** One epoch of a learning curve. Accuracies are fractions. */
export interface CurvePoint {
  /** From 0; the figure counts from 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

interface Lines {
  readonly title: string;
  readonly left: number;
  readonly train: readonly Point[];
  readonly test: readonly Point[];
  readonly range: readonly [number, number];
  readonly tick: (value: number) => string;
  readonly show: (value: number) => string;
  readonly best?: Point | undefined;
}

const WIDTH = 1040;
const HEIGHT = 460;
const TOP = 112;
const BOTTOM = 400;
const PANEL = 330;

/** The learning curve as SVG; `note` is printed below the title. */
export function learningCurve(points: readonly CurvePoint[], title: string, note = ''): string {
  const of = (name: keyof CurvePoint): Point[] => points.map((p) => ({ epoch: p.epoch + 1, value: p[name] }));
  const losses = points.flatMap((p) => [p.trainLoss, p.testLoss]).filter(Number.isFinite);
  const accuracies = points.flatMap((p) => [p.trainAccuracy, p.testAccuracy]).filter(Number.isFinite);
  const test = of('testAccuracy');
  const low = Math.min(...accuracies, 1);
  const best = Math.max(...test.map(({ value }) => value));
  return picture(WIDTH, HEIGHT, [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(note, 40, 66, { size: 13.5, fill: INK.quiet }),
    ...panel({
      title: 'Loss',
      left: 80,
      train: of('trainLoss'),
      test: of('testLoss'),
      range: [0, Math.max(...losses, 0.1)],
      tick: String,
      show: (v) => v.toFixed(2),
    }),
    ...panel({
      title: 'Accuracy',
      left: 580,
      train: of('trainAccuracy'),
      test,
      range: [Math.max(0, Math.floor(low * 10 - 0.2) / 10), 1],
      tick: (v) => `${Math.round(100 * v)} %`,
      show: (v) => `${(100 * v).toFixed(1)} %`,
      best: test.slice(0, -1).find(({ value }) => value === best),
    }),
  ]);
}

function panel({ title, left, train, test, range, tick, show, best }: Lines): string[] {
  const right = left + PANEL;
  const epochs = [test[0]?.epoch ?? 0, test.at(-1)?.epoch ?? 0] as const;
  const frame = axes({ title, left, right, top: TOP, bottom: BOTTOM, epochs, range, tick });
  const parts = [...frame.parts];
  const ends: End[] = [];
  for (const { points, name, fill } of [
    { points: train, name: 'training', fill: INK.train },
    { points: test, name: 'test', fill: INK.test },
  ]) {
    parts.push(...curve(points, frame, fill));
    const end = points.filter(({ value }) => Number.isFinite(value)).at(-1);
    if (end) ends.push({ at: frame.y(end.value), name, value: end.value, fill });
  }
  parts.push(...endLabels(ends, right + 12, show));
  if (best) parts.push(...bestMark(best, frame, left, right, show));
  return parts;
}

function bestMark(best: Point, { x, y }: Axes, left: number, right: number, show: (value: number) => string): string[] {
  const [cx, cy] = [x(best.epoch), y(best.value)];
  const label = `best ${show(best.value)}`;
  const inside = Math.min(Math.max(cx, left + textWidth(label, { size: 12.5 }) / 2), right - 30);
  // Above the line where there is room, with a background that hides lines behind the text.
  const base = cy - 14 > TOP ? cy - 14 : cy + 26;
  const half = textWidth(label, { size: 12.5 }) / 2 + 3;
  return [
    `<rect x="${inside - half}" y="${base - 13}" width="${2 * half}" height="17" fill="${INK.paper}" fill-opacity="0.85"/>`,
    `<circle cx="${cx}" cy="${cy}" r="5.5" fill="${INK.paper}" stroke="${INK.test}" stroke-width="2"/>`,
    text(label, inside, base, { size: 12.5, fill: INK.test, anchor: 'middle' }),
  ];
}

interface End {
  readonly at: number;
  readonly name: string;
  readonly value: number;
  readonly fill: string;
}

/** Names and last values at the ends of the lines, moved apart where they would overlap. */
function endLabels(ends: readonly End[], x: number, show: (value: number) => string): string[] {
  const sorted = [...ends].sort((a, b) => a.at - b.at);
  const gap = 40;
  const [upper, lower] = sorted;
  let places = sorted.map((end) => end.at);
  if (upper && lower && lower.at - upper.at < gap) {
    const middle = Math.min(Math.max((upper.at + lower.at) / 2, TOP + gap / 2), BOTTOM - gap / 2);
    places = [middle - gap / 2, middle + gap / 2];
  }
  return sorted.flatMap((end, i) => [
    text(end.name, x, (places[i] as number) - 2, { size: 13, weight: 'bold', fill: end.fill }),
    text(show(end.value), x, (places[i] as number) + 14, { size: 13, fill: end.fill }),
  ]);
}
