import { at, build, type Values } from './values.ts';

type Pair = number | readonly [number, number];
const pair = (value: Pair = 1): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

interface Options {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
}

/** x [N, C, H, W], weight [K, C / groups, R, S]: [N, K, P, Q]. */
export function conv2d(x: Values, weight: Values, bias: Values | null, options: Options = {}): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [outputs, perGroup, r, s] = weight.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride),
    pair(options.padding ?? 0),
    pair(options.dilation),
  ];
  const groups = options.groups ?? channels / perGroup;
  const p = Math.floor((h + 2 * padH - dilationH * (r - 1) - 1) / strideH) + 1;
  const q = Math.floor((w + 2 * padW - dilationW * (s - 1) - 1) / strideW) + 1;
  return build([n, outputs, p, q], ([image, k, row, column]) => {
    const first = Math.floor((k as number) / (outputs / groups)) * perGroup;
    let sum = bias?.data[k as number] ?? 0;
    for (let c = 0; c < perGroup; c++) {
      for (let i = 0; i < r; i++) {
        for (let j = 0; j < s; j++) {
          const y = (row as number) * strideH + i * dilationH - padH;
          const z = (column as number) * strideW + j * dilationW - padW;
          if (y < 0 || y >= h || z < 0 || z >= w) continue;
          sum += at(x, [image as number, first + c, y, z]) * at(weight, [k as number, c, i, j]);
        }
      }
    }
    return sum;
  });
}

/**
 * The gradient of `conv2d` by its weight: dw[k, c, i, j] is the sum over n, p and q of dy[n, k, p, q] times the element of x that
 * the window at (p, q) has at (i, j). `weight` is the shape of dw.
 */
export function conv2dWeightGradient(x: Values, dy: Values, weight: readonly number[], options: Options = {}): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [, outputs, p, q] = dy.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride),
    pair(options.padding ?? 0),
    pair(options.dilation),
  ];
  const perGroup = weight[1] as number;
  const groups = options.groups ?? channels / perGroup;
  return build(weight, ([k, c, i, j]) => {
    const channel = Math.floor((k as number) / (outputs / groups)) * perGroup + (c as number);
    let sum = 0;
    for (let image = 0; image < n; image++) {
      for (let row = 0; row < p; row++) {
        for (let column = 0; column < q; column++) {
          const y = row * strideH + (i as number) * dilationH - padH;
          const z = column * strideW + (j as number) * dilationW - padW;
          if (y < 0 || y >= h || z < 0 || z >= w) continue;
          sum += at(x, [image, channel, y, z]) * at(dy, [image, k as number, row, column]);
        }
      }
    }
    return sum;
  });
}

/** x [N, C, H, W], weight [C, K / groups, R, S]: every input element adds its window of weights to the output. */
export function convTranspose2d(
  x: Values,
  weight: Values,
  bias: Values | null,
  options: Options & { readonly outputPadding?: Pair } = {},
): Values {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const [, perGroup, r, s] = weight.shape as [number, number, number, number];
  const [[strideH, strideW], [padH, padW], [dilationH, dilationW]] = [
    pair(options.stride),
    pair(options.padding ?? 0),
    pair(options.dilation),
  ];
  const [extraH, extraW] = pair(options.outputPadding ?? 0);
  const groups = options.groups ?? 1;
  const p = (h - 1) * strideH - 2 * padH + dilationH * (r - 1) + extraH + 1;
  const q = (w - 1) * strideW - 2 * padW + dilationW * (s - 1) + extraW + 1;
  const y = build([n, perGroup * groups, p, q], ([, k]) => bias?.data[k as number] ?? 0);
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
          y.data[place] = (y.data[place] as number) + value * at(weight, [c, k, i, j]);
        }
      }
    }
  });
  return y;
}
