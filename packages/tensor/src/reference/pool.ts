import { Total, ulps } from './bounds.ts';
import { build, type Element, elementAt, pair, type Size2d, type Values } from './values.ts';

interface Options {
  readonly kernelSize: Size2d;
  readonly stride?: Size2d;
  readonly padding?: Size2d;
  readonly dilation?: Size2d;
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
}

/** The positions of window i along one axis, padding as positions outside 0..size - 1. */
function positions(i: number, axis: 0 | 1, o: Options): number[] {
  const [k, s] = [pair(o.kernelSize)[axis], pair(o.stride ?? o.kernelSize)[axis]];
  const [p, d] = [pair(o.padding ?? 0)[axis], pair(o.dilation ?? 1)[axis]];
  return Array.from({ length: k }, (_, r) => i * s - p + r * d);
}

/** The number of windows along one axis: those inside the padded input; with ceilMode also a last one that starts in it or its left padding. */
function windows(size: number, axis: 0 | 1, o: Options): number {
  const padding = pair(o.padding ?? 0)[axis];
  let count = 0;
  for (;;) {
    const list = positions(count, axis, o);
    const isInside = (list.at(-1) as number) < size + padding;
    const before = count === 0 ? true : (positions(count - 1, axis, o).at(-1) as number) < size + padding - 1;
    const starts = (list[0] as number) < size;
    if (isInside || (o.ceilMode && starts && before)) count++;
    else return count;
  }
}

function pool(
  x: Values,
  o: Options,
  join: (at: readonly number[], rows: number[], columns: number[]) => Element,
): Values {
  const [h, w] = x.shape.slice(-2) as [number, number];
  const shape = [...x.shape.slice(0, -2), windows(h, 0, o), windows(w, 1, o)];
  const y = build(shape, (i) =>
    join(i.slice(0, -2), positions(i.at(-2) as number, 0, o), positions(i.at(-1) as number, 1, o)),
  );
  return withSlopes(y, x);
}

/** Gradients are sums, without further errors. */
function withSlopes(y: Values, x: Values): Values {
  return { ...y, slopes: new Map([[x, new Float64Array(x.data.length)]]) };
}

/** The elements of a plane at rows and columns. */
function inside(x: Values, lead: readonly number[], rows: readonly number[], columns: readonly number[]): Element[] {
  return rows.flatMap((r) => columns.map((c) => elementAt(x, [...lead, r, c])));
}

function mean(elements: readonly Element[], count: number): Element {
  const sum = new Total();
  for (const { value, error } of elements) sum.add(value, error);
  return { value: sum.value / count, error: sum.error / count + ulps(1, sum.value / count) };
}

const within = (size: number) => (p: number) => p >= 0 && p < size;

export function maxPool2d(x: Values, options: Options): Values {
  const [h, w] = x.shape.slice(-2) as [number, number];
  return pool(x, options, (lead, rows, columns) => {
    const elements = inside(x, lead, rows.filter(within(h)), columns.filter(within(w)));
    return {
      value: Math.max(...elements.map(({ value }) => value)),
      error: Math.max(0, ...elements.map(({ error }) => error)),
    };
  });
}

export function avgPool2d(x: Values, options: Options): Values {
  const [h, w] = x.shape.slice(-2) as [number, number];
  const [padH, padW] = pair(options.padding ?? 0);
  return pool(x, options, (lead, rows, columns) => {
    const [insideRows, insideColumns] = [rows.filter(within(h)), columns.filter(within(w))];
    const elements = inside(x, lead, insideRows, insideColumns);
    // Elements that ceilMode adds beyond the padding are not counted.
    const counted = rows.filter((r) => r < h + padH).length * columns.filter((c) => c < w + padW).length;
    return mean(elements, options.countIncludePad === false ? elements.length : counted);
  });
}

export function adaptiveAvgPool2d(x: Values, size: Size2d): Values {
  const [h, w] = x.shape.slice(-2) as [number, number];
  const [p, q] = pair(size);
  const range = (i: number, from: number, to: number): number[] => {
    const first = Math.floor((i * from) / to);
    return Array.from({ length: Math.ceil(((i + 1) * from) / to) - first }, (_, k) => first + k);
  };
  const y = build([...x.shape.slice(0, -2), p, q], (i) => {
    const elements = inside(x, i.slice(0, -2), range(i.at(-2) as number, h, p), range(i.at(-1) as number, w, q));
    return mean(elements, elements.length);
  });
  return withSlopes(y, x);
}
