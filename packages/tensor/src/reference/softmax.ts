import { div, sub } from './binary.ts';
import { ulps } from './bounds.ts';
import { max, sum } from './reduce.ts';
import { exp, log } from './unary.ts';
import { coordinates, stretchedAt, type Values } from './values.ts';

/** The error of a gradient y (dy - sum of dy y): its terms may cancel, and each has the error of y. */
export function softmax(x: Values, dim: number): Values {
  const powers = exp(sub(x, max(x, dim, { keepDim: true })));
  const y = div(powers, sum(powers, dim, { keepDim: true }));
  const lost = sum({ ...y, data: y.error as Float64Array }, dim, { keepDim: true });
  const slopes = y.data.map(
    (v, i) => 2 * (y.error?.[i] as number) + v * (stretchedAt(lost, coordinates(x.shape, i)).value + ulps(4, 1)),
  );
  return { ...y, slopes: new Map([[x, slopes]]) };
}

/** The error of a gradient dy - softmax * sum of dy: see above. */
export function logSoftmax(x: Values, dim: number): Values {
  const shifted = sub(x, max(x, dim, { keepDim: true }));
  const y = sub(shifted, log(sum(exp(shifted), dim, { keepDim: true })));
  const shares = exp(y);
  const slopes = shares.data.map(
    (v, i) => ulps(1, 1) + (x.shape[dim] as number) * ((shares.error?.[i] as number) + ulps(4, v)),
  );
  return { ...y, slopes: new Map([[x, slopes]]) };
}
