import { at, build, elementAt, type Values } from './values.ts';

export function gather(x: Values, dim: number, index: Values): Values {
  return build(index.shape, (i) =>
    elementAt(
      x,
      i.map((p, d) => (d === dim ? at(index, i) : p)),
    ),
  );
}

export function indexSelect(x: Values, dim: number, index: Values): Values {
  const shape = x.shape.map((size, d) => (d === dim ? index.data.length : size));
  return build(shape, (i) =>
    elementAt(
      x,
      i.map((p, d) => (d === dim ? (index.data[p] as number) : p)),
    ),
  );
}

export function embedding(index: Values, weight: Values): Values {
  const width = weight.shape[1] as number;
  return build([...index.shape, width], (i) => elementAt(weight, [at(index, i.slice(0, -1)), i.at(-1) as number]));
}

export function oneHot(index: Values, classes: number): Values {
  return build([...index.shape, classes], (i) => Number(at(index, i.slice(0, -1)) === i.at(-1)));
}
