// Reliability diagrams: accuracy by confidence (Guo et al. 2017).
import { scaleLinear } from 'd3-scale';
import type { ReliabilityBin } from '../../calibration.ts';
import { INK, picture, text } from '../../figures/lettering.ts';

/** One diagram: its bins, title and text. */
export interface ReliabilityPanel {
  readonly title: string;
  readonly caption: string;
  readonly bins: readonly ReliabilityBin[];
}

const SIDE = 330;
const LEFT = 84;
const GAP = 100;
const TOP = 138;
const FRAME = 'fill="#d9480f" fill-opacity="0.16" stroke="#d9480f" stroke-width="1.4"';
/** Height of the counts below a diagram. */
const COUNTS = 56;
const RIGHT = '#7fa8d6';

/** The diagrams side by side as SVG: bars of accuracy, and frames from the accuracy to the mean confidence. */
export function reliabilityDiagram(panels: readonly ReliabilityPanel[], title: string): string {
  const width = LEFT + panels.length * SIDE + (panels.length - 1) * GAP + 40;
  return picture(Math.max(width, 560), TOP + SIDE + COUNTS + 74, [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    ...legend(),
    ...panels.flatMap((panel, i) => diagram(panel, LEFT + i * (SIDE + GAP))),
  ]);
}

function legend(): string[] {
  const entry = (x: number, fill: string, label: string): string[] => [
    `<rect x="${x}" y="58" width="13" height="13" ${fill}/>`,
    text(label, x + 20, 69, { size: 13, fill: INK.quiet }),
  ];
  return [...entry(40, `fill="${RIGHT}"`, 'accuracy'), ...entry(136, FRAME, 'from accuracy to mean confidence')];
}

function diagram({ title, caption, bins }: ReliabilityPanel, left: number): string[] {
  const x = scaleLinear([0, 1], [left, left + SIDE]);
  const y = scaleLinear([0, 1], [TOP + SIDE, TOP]);
  const most = Math.max(1, ...bins.map(({ n }) => n));
  const floor = TOP + SIDE + 44 + COUNTS;
  const tall = scaleLinear([0, most], [0, COUNTS - 16]);
  const parts = [
    text(title, left, TOP - 32, { size: 15, weight: 'bold' }),
    text(caption, left, TOP - 13, { size: 12.5, fill: INK.quiet }),
  ];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const label = `${100 * share} %`;
    parts.push(
      `<line x1="${left}" x2="${left + SIDE}" y1="${y(share)}" y2="${y(share)}" stroke="${INK.grid}"/>`,
      text(label, left - 9, y(share) + 4.5, { size: 12, fill: INK.quiet, anchor: 'end' }),
      text(label, x(share), TOP + SIDE + 20, { size: 12, fill: INK.quiet, anchor: 'middle' }),
    );
  }
  for (const { low, high, n, confidence, accuracy } of bins) {
    if (confidence === null || accuracy === null) continue;
    const [from, wide] = [x(low) + 1, x(high) - x(low) - 2];
    const bar = (bottom: number, top: number, look: string): string =>
      `<rect x="${from.toFixed(2)}" y="${y(top).toFixed(2)}" width="${wide.toFixed(2)}" height="${(y(bottom) - y(top)).toFixed(2)}" ${look}/>`;
    parts.push(
      bar(0, accuracy, `fill="${RIGHT}"`),
      bar(Math.min(accuracy, confidence), Math.max(accuracy, confidence), FRAME),
      `<rect x="${from.toFixed(2)}" y="${(floor - tall(n)).toFixed(2)}" width="${wide.toFixed(2)}" height="${tall(n).toFixed(2)}" fill="${INK.train}"/>`,
    );
  }
  parts.push(
    `<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="${INK.text}" stroke-width="1.2" stroke-dasharray="5 5"/>`,
    `<line x1="${left}" x2="${left + SIDE}" y1="${y(0)}" y2="${y(0)}" stroke="${INK.axis}"/>`,
    `<line x1="${left}" x2="${left + SIDE}" y1="${floor}" y2="${floor}" stroke="${INK.axis}"/>`,
    text('images', left - 9, floor, { size: 12, fill: INK.quiet, anchor: 'end' }),
    text('confidence', left + SIDE / 2, floor + 22, { size: 12.5, fill: INK.quiet, anchor: 'middle' }),
    text('accuracy', left - 62, TOP + SIDE / 2, { size: 12.5, fill: INK.quiet, anchor: 'middle', turn: -90 }),
  );
  return parts;
}
