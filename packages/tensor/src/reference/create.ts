import { ulps, within } from './bounds.ts';
import { build, type Values } from './values.ts';

export function full(shape: readonly number[], value: number): Values {
  return build(shape, () => value);
}

export function arange(start: number, end: number, step = 1): Values {
  const list: number[] = [];
  for (let i = 0; start + i * step < end === step > 0 && start + i * step !== end; i++) list.push(start + i * step);
  return within({ shape: [list.length], data: Float64Array.from(list) }, 0);
}

export function linspace(start: number, end: number, count: number): Values {
  const line = build([count], ([i]) => (count === 1 ? start : start + ((end - start) * (i as number)) / (count - 1)));
  return within(line, ulps(0.5, Math.max(Math.abs(start), Math.abs(end))));
}

export function eye(rows: number, columns: number = rows): Values {
  return build([rows, columns], ([row, column]) => Number(row === column));
}
