import { slice } from './shape.ts';
import { elementAt as at, build, type Values } from './values.ts';

/** Parts of the listed sizes along `dim`. */
export function split(x: Values, sizes: readonly number[], dim: number): Values[] {
  return sizes.map((size, part) => {
    const start = sizes.slice(0, part).reduce((sum, each) => sum + each, 0);
    return slice(x, dim, start, start + size);
  });
}

export function chunk(x: Values, count: number, dim: number): Values[] {
  const size = x.shape[dim] as number;
  const length = Math.ceil(size / count);
  const parts: Values[] = [];
  for (let start = 0; start < size; start += length) parts.push(slice(x, dim, start, Math.min(start + length, size)));
  return parts;
}

/** With at least as many counts as dimensions. */
export function repeat(x: Values, counts: readonly number[]): Values {
  const lead = counts.length - x.shape.length;
  return build(
    counts.map((each, dim) => each * (x.shape[dim - lead] ?? 1)),
    (i) =>
      at(
        x,
        x.shape.map((size, dim) => (i[dim + lead] as number) % size),
      ),
  );
}

export function tile(x: Values, counts: readonly number[]): Values {
  return repeat(x, [...new Array<number>(Math.max(0, x.shape.length - counts.length)).fill(1), ...counts]);
}

export function roll(x: Values, shifts: readonly number[], dims: readonly number[]): Values {
  return build(x.shape, (i) =>
    at(
      x,
      i.map((p, dim) => {
        const size = x.shape[dim] as number;
        const shift = dims.reduce((sum, each, j) => sum + (each === dim ? (shifts[j] as number) : 0), 0);
        return (((p - shift) % size) + size) % size;
      }),
    ),
  );
}

export function meshgrid(tensors: readonly Values[], indexing: 'ij' | 'xy' = 'ij'): Values[] {
  const swaps = indexing === 'xy' && tensors.length > 1;
  const dims = tensors.map((_, i) => (swaps && i < 2 ? 1 - i : i));
  const shape = dims.map((i) => (tensors[i] as Values).data.length);
  return tensors.map((x, i) => build(shape, (p) => x.data[p[dims[i] as number] as number] as number));
}
