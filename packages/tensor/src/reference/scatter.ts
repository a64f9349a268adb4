import { Total } from './bounds.ts';
import { at, build, coordinates, count, type Element, elementAt, type Values } from './values.ts';

/** For indices in range, of the shape of `src`: the last of equal ones wins. */
export function scatter(x: Values, dim: number, index: Values, src: Values): Values {
  return collected(x, dim, index, src, (own, sources) => sources.at(-1) ?? own);
}

/** For indices in range, of the shape of `src`. */
export function scatterAdd(x: Values, dim: number, index: Values, src: Values): Values {
  return collected(x, dim, index, src, summed);
}

/** For a list of indices in range. */
export function indexAdd(x: Values, dim: number, index: Values, source: Values): Values {
  const stretched = build(source.shape, (i) => index.data[i[dim] as number] as number);
  return collected(x, dim, stretched, source, summed);
}

function summed(own: Element, sources: readonly Element[]): Element {
  const sum = new Total().add(own.value, own.error);
  for (const { value, error } of sources) sum.add(value, error);
  return sum;
}

/** Each element of x together with the sources whose index along `dim` is its place, in their order. */
function collected(
  x: Values,
  dim: number,
  index: Values,
  src: Values,
  join: (own: Element, sources: readonly Element[]) => Element,
): Values {
  const sources = Array.from({ length: count(x.shape) }, (): Element[] => []);
  for (let i = 0; i < count(src.shape); i++) {
    const from = coordinates(src.shape, i);
    const to = from.map((p, d) => (d === dim ? at(index, from) : p));
    sources[to.reduce((offset, p, d) => offset * (x.shape[d] as number) + p, 0)]?.push(elementAt(src, from));
  }
  let next = 0;
  return build(x.shape, (i) => join(elementAt(x, i), sources[next++] ?? []));
}
