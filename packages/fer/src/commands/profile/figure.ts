// The time of a training step by kernel: one bar each, the longest first.
import { scaleLinear } from 'd3-scale';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';
import { milliseconds, nameOf, type ProfileReport } from './report.ts';

const WIDTH = 1120;
const TOP = 122;
const ROW = 30;
const MOST = 18;
const COMPUTES = '#d9480f';
const MOVES = '#8796a8';

/** The figure as SVG. Bars are red for kernels with a known number of operations, else gray. */
export function profileFigure(report: ProfileReport): string {
  const shown = report.rows.slice(0, MOST);
  const rest = report.rows.slice(MOST);
  const bars = shown.map((row) => ({ ...row, name: nameOf(row) }));
  const left = 60 + Math.min(400, Math.max(...bars.map(({ name }) => textWidth(name, { size: 13 }))));
  const x = scaleLinear([0, Math.max(...bars.map(({ seconds }) => seconds))], [left, WIDTH - 300]);
  const { model, batchSize, adapter, stepSeconds, hostSeconds, kernelSeconds } = report;
  const parts = [
    text(`A training step of ${model}, ${batchSize} images`, 40, 42, { size: 21, weight: 'bold' }),
    text(
      `${adapter}: ${milliseconds(stepSeconds)}, of which JavaScript ${milliseconds(hostSeconds)}; all kernels ${milliseconds(kernelSeconds)}`,
      40,
      66,
      { size: 13.5, fill: INK.quiet },
    ),
    text('calls, time, share', WIDTH - 280, TOP - 14, { size: 12.5, fill: INK.quiet }),
    text('rate', WIDTH - 40, TOP - 14, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
  ];
  for (const [i, row] of bars.entries()) {
    const y = TOP + i * ROW;
    const fill = row.flops === null ? MOVES : COMPUTES;
    parts.push(
      text(shortened(row.name, left - 60), left - 12, y + 15, { size: 13, anchor: 'end' }),
      `<rect x="${left}" y="${y}" width="${(x(row.seconds) - left).toFixed(1)}" height="${ROW - 8}" rx="3" fill="${fill}"/>`,
      text(`${row.calls} x, ${milliseconds(row.seconds)}, ${(100 * row.share).toFixed(1)} %`, WIDTH - 280, y + 15, {
        size: 13,
      }),
      text(rateOf(row.flops, row.bytes, row.seconds), WIDTH - 40, y + 15, { size: 13, anchor: 'end' }),
    );
  }
  const bottom = TOP + bars.length * ROW + 20;
  const seconds = rest.reduce((sum, row) => sum + row.seconds, 0);
  if (rest.length > 0) {
    parts.push(text(`${rest.length} more take ${milliseconds(seconds)}`, left, bottom, { size: 13, fill: INK.quiet }));
  }
  return picture(WIDTH, bottom + 30, parts);
}

/** Operations per second where they are known, else bytes per second. */
export function rateOf(flops: number | null, bytes: number, seconds: number): string {
  if (seconds === 0) return '';
  return flops === null
    ? `${(bytes / seconds / 1e9).toFixed(2)} GB/s`
    : `${(flops / seconds / 1e9).toFixed(1)} GFLOP/s`;
}

function shortened(name: string, width: number): string {
  let text = name;
  while (textWidth(text, { size: 13 }) > width) text = `${text.slice(0, -2)}…`;
  return text;
}
