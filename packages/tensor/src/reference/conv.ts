import { sumError, Total } from './bounds.ts';
import { build, coordinates, count, elementAt, pair, type Size2d, type Values } from './values.ts';

interface Options {
  readonly stride?: Size2d;
  readonly padding?: Size2d;
  readonly dilation?: Size2d;
  readonly groups?: number;
}

/** x [N, C, H, W], weight [K, C / groups, R, S]: [N, K, P, Q]. */
export function conv2d(x: Values, weight: Values, bias: Values | null, options: Options = {}): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [outputs, perGroup, r, s] = weight.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride ?? 1),
    pair(options.padding ?? 0),
    pair(options.dilation ?? 1),
  ];
  const groups = options.groups ?? channels / perGroup;
  const p = Math.floor((h + 2 * padH - dilationH * (r - 1) - 1) / strideH) + 1;
  const q = Math.floor((w + 2 * padW - dilationW * (s - 1) - 1) / strideW) + 1;
  const y = build([n, outputs, p, q], ([image, k, row, column]) => {
    const first = Math.floor((k as number) / (outputs / groups)) * perGroup;
    const sum = new Total();
    if (bias) sum.add(bias.data[k as number] as number, bias.error?.[k as number]);
    for (let c = 0; c < perGroup; c++) {
      for (let i = 0; i < r; i++) {
        for (let j = 0; j < s; j++) {
          const y = (row as number) * strideH + i * dilationH - padH;
          const z = (column as number) * strideW + j * dilationW - padW;
          if (y < 0 || y >= h || z < 0 || z >= w) continue;
          sum.addProduct(elementAt(x, [image as number, first + c, y, z]), elementAt(weight, [k as number, c, i, j]));
        }
      }
    }
    return sum;
  });
  const transforms = r === 3 && s === 3 && strideH === 1 && strideW === 1;
  return bounded(y, x, weight, bias, transforms ? n * p * q : null);
}

/**
 * Winograd's transforms mix the values of a tile: an error depends on the largest sum of the tile instead of the result's terms,
 * and F(4x4) has up to 4 times that error (Barabasz et al., 2020). `positions` is the number of sums of products of a weight's
 * gradient; null where no transform can be used, so that gradients are plain sums.
 */
function bounded(y: Values, x: Values, weight: Values, bias: Values | null, positions: number | null): Values {
  const slopes = new Map(
    [x, weight, ...(bias ? [bias] : [])].map((input) => [input, new Float64Array(input.data.length)]),
  );
  if (positions === null) return { ...y, slopes };
  const window = 9 * Math.max(weight.shape[0] as number, weight.shape[1] as number);
  slopes.get(x)?.fill(transformFactor * sumError(window, 0, largestSquares(weight, 1)));
  slopes.get(weight)?.fill(transformFactor * sumError(positions, 0, largestSquares(x, 1)));
  return { ...afterTransforms(y), slopes };
}

/** The error bound of results that transforms may compute: see above. */
function afterTransforms(y: Values): Values {
  const largest = (y.error as Float64Array).reduce((most, e) => Math.max(most, e), 0);
  return { ...y, error: y.data.map(() => transformFactor * largest) };
}

const transformFactor = 4;

/** The largest sum of squares of the elements that share a coordinate. */
function largestSquares(x: Values, dim: number): number {
  const sums = new Float64Array(x.shape[dim] as number);
  for (let i = 0; i < x.data.length; i++) {
    const place = coordinates(x.shape, i)[dim] as number;
    sums[place] = (sums[place] as number) + (x.data[i] as number) ** 2;
  }
  return Math.max(...sums);
}

/**
 * The gradient of `conv2d` by its weight: dw[k, c, i, j] is the sum over n, p and q of dy[n, k, p, q] times the element of x that
 * the window at (p, q) has at (i, j). `weight` is the shape of dw.
 */
export function conv2dWeightGradient(x: Values, dy: Values, weight: readonly number[], options: Options = {}): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [, outputs, p, q] = dy.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride ?? 1),
    pair(options.padding ?? 0),
    pair(options.dilation ?? 1),
  ];
  const perGroup = weight[1] as number;
  const groups = options.groups ?? channels / perGroup;
  const result = build(weight, ([k, c, i, j]) => {
    const channel = Math.floor((k as number) / (outputs / groups)) * perGroup + (c as number);
    const sum = new Total();
    for (let image = 0; image < n; image++) {
      for (let row = 0; row < p; row++) {
        for (let column = 0; column < q; column++) {
          const y = row * strideH + (i as number) * dilationH - padH;
          const z = column * strideW + (j as number) * dilationW - padW;
          if (y < 0 || y >= h || z < 0 || z >= w) continue;
          sum.addProduct(elementAt(x, [image, channel, y, z]), elementAt(dy, [image, k as number, row, column]));
        }
      }
    }
    return sum;
  });
  const transforms = weight[2] === 3 && weight[3] === 3 && strideH === 1 && strideW === 1;
  return transforms ? afterTransforms(result) : result;
}

/** x [N, C, H, W], weight [C, K / groups, R, S]: every input element adds its window of weights to the output. */
export function convTranspose2d(
  x: Values,
  weight: Values,
  bias: Values | null,
  options: Options & { readonly outputPadding?: Size2d } = {},
): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [, perGroup, r, s] = weight.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride ?? 1),
    pair(options.padding ?? 0),
    pair(options.dilation ?? 1),
  ];
  const [extraH, extraW] = pair(options.outputPadding ?? 0);
  const groups = options.groups ?? 1;
  const p = (h - 1) * strideH - 2 * padH + dilationH * (r - 1) + extraH + 1;
  const q = (w - 1) * strideW - 2 * padW + dilationW * (s - 1) + extraW + 1;
  const shape = [n, perGroup * groups, p, q];
  const sums = Array.from({ length: count(shape) }, () => new Total());
  if (bias)
    for (const [i, sum] of sums.entries()) sum.add(bias.data[Math.floor(i / (p * q)) % bias.data.length] as number);
  x.data.forEach((value, index) => {
    const column = index % w;
    const row = Math.floor(index / w) % h;
    const c = Math.floor(index / (w * h)) % channels;
    const image = Math.floor(index / (w * h * channels));
    const first = Math.floor(c / (channels / groups)) * perGroup;
    for (let k = 0; k < perGroup; k++) {
      for (let i = 0; i < r; i++) {
        for (let j = 0; j < s; j++) {
          const [a, b] = [row * strideH + i * dilationH - padH, column * strideW + j * dilationW - padW];
          if (a < 0 || a >= p || b < 0 || b >= q) continue;
          const place = ((image * perGroup * groups + first + k) * p + a) * q + b;
          sums[place]?.addProduct({ value, error: x.error?.[index] ?? 0 }, elementAt(weight, [c, k, i, j]));
        }
      }
    }
  });
  let next = 0;
  const y = build(shape, () => sums[next++] as Total);
  const transforms = r === 3 && s === 3 && strideH === 1 && strideW === 1;
  return bounded(y, x, weight, bias, transforms ? n * p * q : null);
}
