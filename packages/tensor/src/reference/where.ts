import { build, stretchedAt, stretchedShape, type Values } from './values.ts';

export function where(condition: Values, a: Values, b: Values): Values {
  const shape = stretchedShape(stretchedShape(a.shape, b.shape), condition.shape);
  return build(shape, (i) => (stretchedAt(condition, i).value !== 0 ? stretchedAt(a, i) : stretchedAt(b, i)));
}
