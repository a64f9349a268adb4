import { elementAt as at, build, type Values } from './values.ts';

export function tril(x: Values, diagonal = 0): Values {
  return build(x.shape, (i) => ((i.at(-1) as number) - (i.at(-2) as number) <= diagonal ? at(x, i) : 0));
}

export function triu(x: Values, diagonal = 0): Values {
  return build(x.shape, (i) => ((i.at(-1) as number) - (i.at(-2) as number) >= diagonal ? at(x, i) : 0));
}
