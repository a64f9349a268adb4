import { ulps } from './bounds.ts';
import { build, type Element, stretchedAt, stretchedShape, type Values } from './values.ts';

function ternary(
  [a, b, c]: readonly [Values, Values, Values],
  element: (a: number, b: number, c: number) => Element,
): Values {
  const shape = stretchedShape(stretchedShape(a.shape, b.shape), c.shape);
  return build(shape, (at) => {
    const [p, q, r] = [a, b, c].map((x) => stretchedAt(x, at).value) as [number, number, number];
    return element(p, q, r);
  });
}

/** Both forms round the difference, the weight's complement, the product and the result. */
export function lerp(x: Values, end: Values, weight: Values): Values {
  return ternary([x, end, weight], (a, b, w) => {
    const value = a + w * (b - a);
    const share = w < 0.5 ? Math.abs(w) : Math.abs(1 - w);
    return { value, error: ulps(0.5, value) + ulps(1.5, share * (b - a)) };
  });
}

export function addcmul(x: Values, a: Values, b: Values, { value = 1 }: { value?: number } = {}): Values {
  return ternary([x, a, b], (p, q, r) => {
    const y = p + value * q * r;
    return { value: y, error: ulps(0.5, y) + ulps(1.5, value * q * r) };
  });
}
