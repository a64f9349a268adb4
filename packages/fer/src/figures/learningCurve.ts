// Loss and accuracy over epochs, side by side.
import { scaleLinear } from 'd3-scale';
import { INK, picture, text, textWidth } from './lettering.ts';

/** What a learning curve shows of one epoch. Accuracies are fractions 0 to 1. */
export interface CurvePoint {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

interface Panel {
  readonly title: string;
  readonly left: number;
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly range: readonly [number, number];
  readonly show: (value: number) => string;
  readonly best?: number;
}

const WIDTH = 1040;
const HEIGHT = 460;
const TOP = 112;
const BOTTOM = 400;
const PANEL = 380;

/** The learning curve as SVG; `note` stands under the title. */
export function learningCurve(points: readonly CurvePoint[], title: string, note = ''): string {
  const epochs = points.map((p) => p.epoch);
  const losses = points.flatMap((p) => [p.trainLoss, p.testLoss]).filter(Number.isFinite);
  const accuracies = points.flatMap((p) => [p.trainAccuracy, p.testAccuracy]).filter(Number.isFinite);
  const testAccuracy = points.map((p) => p.testAccuracy);
  const low = Math.min(...accuracies, 1);
  return picture(WIDTH, HEIGHT, [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(note, 40, 66, { size: 13.5, fill: INK.quiet }),
    ...panel(epochs, {
      title: 'Loss',
      left: 80,
      train: points.map((p) => p.trainLoss),
      test: points.map((p) => p.testLoss),
      range: [0, Math.max(...losses, 0.1)],
      show: (v) => v.toFixed(2),
    }),
    ...panel(epochs, {
      title: 'Accuracy',
      left: 580,
      train: points.map((p) => p.trainAccuracy),
      test: testAccuracy,
      range: [Math.max(0, Math.floor(low * 10 - 0.2) / 10), 1],
      show: (v) => `${(100 * v).toFixed(1)} %`,
      best: testAccuracy.indexOf(Math.max(...testAccuracy)),
    }),
  ]);
}

function panel(epochs: readonly number[], { title, left, train, test, range, show, best }: Panel): string[] {
  const last = epochs.length - 1;
  const first = epochs[0] ?? 0;
  const x = scaleLinear([first, Math.max(epochs[last] ?? 0, first + 1)], [left, left + PANEL - 50]);
  const y = scaleLinear(range, [BOTTOM, TOP + 14]).nice(5);
  const right = left + PANEL - 50;
  const parts = [text(title, left, TOP - 8, { size: 15, weight: 'bold' })];
  for (const value of y.ticks(5)) {
    const label = title === 'Loss' ? String(value) : `${Math.round(100 * value)} %`;
    parts.push(
      `<line x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}" stroke="${INK.grid}"/>`,
      text(label, left - 10, y(value) + 4.5, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
    );
  }
  for (const epoch of x.ticks(6).filter(Number.isInteger)) {
    parts.push(text(String(epoch), x(epoch), BOTTOM + 22, { size: 12.5, fill: INK.quiet, anchor: 'middle' }));
  }
  parts.push(
    `<line x1="${left}" x2="${right}" y1="${BOTTOM}" y2="${BOTTOM}" stroke="${INK.axis}"/>`,
    text('epoch', right, BOTTOM + 42, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
  );
  const ends: { readonly at: number; readonly name: string; readonly value: number; readonly fill: string }[] = [];
  for (const { values, name, fill } of [
    { values: train, name: 'training', fill: INK.train },
    { values: test, name: 'test', fill: INK.test },
  ]) {
    const drawn = epochs
      .map((epoch, i) => ({ epoch, value: values[i] as number }))
      .filter((p) => Number.isFinite(p.value));
    const path = drawn
      .map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.epoch).toFixed(2)},${y(p.value).toFixed(2)}`)
      .join('');
    const end = drawn.at(-1);
    if (!end) continue;
    parts.push(
      `<path d="${path}" fill="none" stroke="${fill}" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"/>`,
    );
    parts.push(`<circle cx="${x(end.epoch)}" cy="${y(end.value)}" r="3.5" fill="${fill}"/>`);
    ends.push({ at: y(end.value), name, value: end.value, fill });
  }
  parts.push(...endLabels(ends, right + 12, show));
  if (best !== undefined && best >= 0 && best < last) {
    const [cx, cy] = [x(epochs[best] as number), y(test[best] as number)];
    const label = `best ${show(test[best] as number)}`;
    const inside = Math.min(Math.max(cx, left + textWidth(label, { size: 12.5 }) / 2), right - 30);
    parts.push(
      `<circle cx="${cx}" cy="${cy}" r="5.5" fill="${INK.paper}" stroke="${INK.test}" stroke-width="2"/>`,
      text(label, inside, cy + 24, { size: 12.5, fill: INK.test, anchor: 'middle' }),
    );
  }
  return parts;
}

/** Names and last values beside the ends of the lines, moved apart where they would touch. */
function endLabels(
  ends: { readonly at: number; readonly name: string; readonly value: number; readonly fill: string }[],
  x: number,
  show: (value: number) => string,
): string[] {
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
