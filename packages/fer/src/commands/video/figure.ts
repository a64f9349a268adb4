// The expressions of a video's faces over time: smoothed probabilities as stacked areas, and each frame's prediction below.

import { scaleLinear } from 'd3-scale';
import { emoji } from '../../figures/emoji.ts';
import { INK, picture, text, textWidth } from '../../figures/lettering.ts';
import type { VideoFace, VideoMoment, VideoReport } from './report.ts';

const WIDTH = 1040;
const LEFT = 88;
const RIGHT = WIDTH - 40;
const TOP = 128;
const AREA = 150;
const STRIP = 12;
const PANEL = AREA + STRIP + 96;
/** Maximum number of faces, those visible longest. */
const MOST = 6;
/** Seconds without a face after which the area is interrupted. */
const GAP = 0.5;
/** Width of an isolated moment. */
const ALONE = 8;

const COLORS: readonly (readonly [start: string, color: string])[] = [
  ['ang', '#d9534a'],
  ['disg', '#8aa63a'],
  ['fear', '#7d6bb8'],
  ['happ', '#f2b632'],
  ['sad', '#4a8fd6'],
  ['surp', '#e58ac0'],
  ['neut', '#b4bac4'],
  ['cont', '#a2764a'],
];
const OTHERS = ['#5f6b7a', '#3d8f83', '#c98f5a', '#8c5a78'] as const;

/** The color of each class, by the start of its name. */
function colorsOf(classes: readonly string[]): string[] {
  return classes.map((name, i) => {
    const known = COLORS.find(([start]) => name.toLowerCase().startsWith(start));
    return known?.[1] ?? (OTHERS[i % OTHERS.length] as string);
  });
}

/** The timeline as SVG, with a panel per face. */
export function timeline({ classes, faces, frames, seconds, smoothing, model }: VideoReport, title: string): string {
  const drawn = [...faces]
    .sort((a, b) => b.moments.length - a.moments.length)
    .slice(0, MOST)
    .sort((a, b) => a.face - b.face);
  const colors = colorsOf(classes);
  const x = scaleLinear([0, Math.max(seconds, 0.04)], [LEFT, RIGHT]);
  const more = faces.length > drawn.length ? `, ${drawn.length} of ${faces.length} faces` : '';
  const smoothed = smoothing > 0 ? `smoothed by ${smoothing} s` : 'not smoothed';
  const parts = [
    text(title, 40, 42, { size: 21, weight: 'bold' }),
    text(
      `${model}, ${frames} frames${more}; probabilities ${smoothed}, below them the prediction of each frame`,
      40,
      66,
      { size: 13.5, fill: INK.quiet },
    ),
    ...legend(classes, colors),
  ];
  for (const [i, face] of drawn.entries()) parts.push(...panel(face, classes, colors, x, TOP + i * PANEL));
  if (drawn.length === 0) parts.push(text('no face', 40, TOP + 20, { size: 18, weight: 'bold' }));
  const end = TOP + Math.max(drawn.length * PANEL, 60);
  return picture(WIDTH, end + 16, parts);
}

function legend(classes: readonly string[], colors: readonly string[]): string[] {
  let x = 40;
  return classes.flatMap((name, i) => {
    const parts = [
      `<rect x="${x}" y="84" width="12" height="12" rx="3" fill="${colors[i]}"/>`,
      text(name, x + 18, 95, { size: 13 }),
    ];
    x += 18 + textWidth(name, { size: 13 }) + 22;
    return parts;
  });
}

type Scale = ReturnType<typeof scaleLinear<number, number>>;

function panel(
  { face, moments }: VideoFace,
  classes: readonly string[],
  colors: readonly string[],
  x: Scale,
  top: number,
): string[] {
  const y = scaleLinear([0, 1], [top + 24 + AREA, top + 24]);
  const [first, last] = [moments[0] as VideoMoment, moments.at(-1) as VideoMoment];
  const parts = [
    text(`Face ${face}`, 40, top + 12, { size: 15, weight: 'bold' }),
    text(
      `${first.seconds.toFixed(2)} to ${last.seconds.toFixed(2)} s`,
      40 + textWidth(`Face ${face}`, { size: 15, weight: 'bold' }) + 12,
      top + 12,
      { size: 12.5, fill: INK.quiet },
    ),
  ];
  for (const share of [0, 0.5, 1]) {
    parts.push(
      `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(share)}" y2="${y(share)}" stroke="${INK.grid}"/>`,
      text(`${100 * share} %`, LEFT - 10, y(share) + 4.5, { size: 12.5, fill: INK.quiet, anchor: 'end' }),
    );
  }
  const strip = y(0) + 6;
  for (const run of runsOf(moments)) {
    parts.push(...areas(run, classes, colors, x, y), ...winners(run, classes, colors, x, strip));
  }
  parts.push(...marks(moments, x, y(1)));
  for (const tick of x.ticks(8)) {
    const label = text(`${tick} s`, x(tick), strip + STRIP + 18, { size: 12.5, fill: INK.quiet, anchor: 'middle' });
    parts.push(label);
  }
  return parts;
}

/** The moments in groups without gaps. */
function runsOf(moments: readonly VideoMoment[]): VideoMoment[][] {
  const runs: VideoMoment[][] = [];
  for (const moment of moments) {
    const last = runs.at(-1);
    if (last && moment.seconds - (last.at(-1) as VideoMoment).seconds <= GAP) last.push(moment);
    else runs.push([moment]);
  }
  return runs;
}

/** Start and end of a moment's color: halfway to its neighbors, or a minimum width. */
function spanOf(places: readonly number[], i: number): readonly [number, number] {
  const at = places[i] as number;
  if (places.length === 1) return [Math.min(at, RIGHT - ALONE), Math.min(at, RIGHT - ALONE) + ALONE];
  return [(at + (places[i - 1] ?? at)) / 2, (at + (places[i + 1] ?? at)) / 2];
}

function areas(
  run: readonly VideoMoment[],
  classes: readonly string[],
  colors: readonly string[],
  x: Scale,
  y: Scale,
): string[] {
  const all = run.map(({ seconds }) => x(seconds));
  const places = all.length === 1 ? spanOf(all, 0) : all;
  const rows = places.map((_, i) => (run[i] ?? run[0]) as VideoMoment);
  const floor = rows.map(() => 0);
  return classes.map((name, c) => {
    const lower = floor.map((share, i) => `${(places[i] as number).toFixed(1)},${y(share).toFixed(1)}`);
    for (const [i, row] of rows.entries()) floor[i] = (floor[i] as number) + (row.probabilities[name] as number);
    const upper = floor.map((share, i) => `${(places[i] as number).toFixed(1)},${y(share).toFixed(1)}`);
    return `<path d="M${upper.join('L')}L${lower.reverse().join('L')}Z" fill="${colors[c]}"/>`;
  });
}

function winners(
  run: readonly VideoMoment[],
  classes: readonly string[],
  colors: readonly string[],
  x: Scale,
  top: number,
): string[] {
  const places = run.map(({ seconds }) => x(seconds));
  const best = run.map(({ raw }) => {
    const shares = classes.map((name) => raw[name] as number);
    return shares.indexOf(Math.max(...shares));
  });
  // One rectangle for neighbors of the same color, so that there are no visible seams.
  return best.flatMap((c, i) => {
    if (best[i - 1] === c) return [];
    let last = i;
    while (best[last + 1] === c) last++;
    const [from, to] = [spanOf(places, i)[0], spanOf(places, last)[1]];
    return `<rect x="${from.toFixed(2)}" y="${top}" width="${(to - from).toFixed(2)}" height="${STRIP}" fill="${colors[c]}"/>`;
  });
}

/** A drawn face over each expression that lasts and that the network is sure of. */
function marks(moments: readonly VideoMoment[], x: Scale, y: number): string[] {
  const parts: string[] = [];
  const expressionOf = ({ expression, unsure }: VideoMoment): string => (unsure ? '' : expression);
  let taken = Number.NEGATIVE_INFINITY;
  for (let start = 0; start < moments.length; ) {
    const first = moments[start] as VideoMoment;
    let end = start;
    while (end + 1 < moments.length && expressionOf(moments[end + 1] as VideoMoment) === expressionOf(first)) end++;
    const [from, to] = [x(first.seconds), x((moments[end] as VideoMoment).seconds)];
    const middle = (from + to) / 2;
    if (!first.unsure && middle - taken > 30 && (to - from > 24 || moments.length === 1)) {
      parts.push(
        `<circle cx="${middle}" cy="${y}" r="13.5" fill="${INK.paper}"/>`,
        emoji(first.expression, middle, y, 24),
      );
      taken = middle;
    }
    start = end + 1;
  }
  return parts;
}
