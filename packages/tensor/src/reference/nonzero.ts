import { coordinates, elementAt, type Values, values } from './values.ts';

/** The positions of the elements that are not 0: a row each. */
export function nonzero(x: Values): Values {
  const rows = [...x.data.keys()].filter((i) => x.data[i] !== 0).map((i) => coordinates(x.shape, i));
  return values([rows.length, x.shape.length], rows.flat());
}

/** For a mask of x's shape. */
export function maskedSelect(x: Values, mask: Values): Values {
  const chosen = [...x.data.keys()].filter((i) => mask.data[i] !== 0);
  const elements = chosen.map((i) => elementAt(x, coordinates(x.shape, i)));
  return {
    ...values(
      [elements.length],
      elements.map(({ value }) => value),
    ),
    error: Float64Array.from(elements, ({ error }) => error),
  };
}

export function unique(x: Values): Values {
  const distinct = [...new Set(x.data)].sort((a, b) => a - b);
  return values([distinct.length], distinct);
}
