import { total, ulps } from './bounds.ts';
import { build, type Values } from './values.ts';

interface Options {
  readonly weight?: Values | null;
  readonly bias?: Values | null;
  readonly eps?: number;
}

export function layerNorm(x: Values, columns: number, options: Options = {}): Values {
  return normalize(x, columns, { eps: 1e-5, ...options }, true);
}

export function rmsNorm(x: Values, columns: number, options: Omit<Options, 'bias'> = {}): Values {
  return normalize(x, columns, { eps: 2 ** -23, ...options }, false);
}

/** Mean and biased variance of a row with their errors: sums of values shifted by one of them, and of squared distances. */
function momentsOf(row: Float64Array, centered: boolean) {
  const n = row.length;
  const mean = centered ? row.reduce((sum, v) => sum + v, 0) / n : 0;
  const shifted = total(row.map((v) => v - (row[0] as number)));
  const meanError = centered ? ulps(2, mean) + shifted.error / n : 0;
  const squares = total(row.map((v) => (v - mean) ** 2));
  const variance = squares.value / n;
  return { mean, meanError, variance, varianceError: squares.error / n + meanError ** 2 + ulps(4, variance) };
}

/** x as rows of `columns` values, each normalized. */
function normalize(x: Values, columns: number, { weight, bias, eps = 0 }: Options, centered: boolean): Values {
  const rows = Array.from({ length: x.data.length / columns }, (_, r) =>
    momentsOf(x.data.slice(r * columns, (r + 1) * columns), centered),
  );
  const largest = (weight?.data ?? Float64Array.of(1)).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  // A gradient is (g - mean(g) - normal * mean(g * normal)) / deviation with g = dy * weight: its parts may cancel.
  const slopes = new Float64Array(x.data.length);
  const y = build([x.data.length], ([i = 0]) => {
    const { mean, meanError, variance, varianceError } = rows[Math.floor(i / columns)] as (typeof rows)[number];
    const deviation = Math.sqrt(variance + eps);
    const normal = ((x.data[i] as number) - mean) / deviation;
    const [scale, shift] = [weight?.data[i % columns] ?? 1, bias?.data[i % columns] ?? 0];
    const ofScale = varianceError / (2 * (variance + eps)) + ulps(3, 1);
    slopes[i] =
      (largest / deviation) * (1 + Math.abs(normal)) ** 2 * (4 * ofScale + ulps(8, 1) + meanError / deviation);
    const error =
      (Math.abs(scale) / deviation) * meanError +
      Math.abs(normal * scale) * (ofScale + ulps(2, 1)) +
      ulps(1, Math.abs(normal * scale) + Math.abs(shift));
    return { value: normal * scale + shift, error };
  });
  return { ...y, shape: x.shape, slopes: new Map([[x, slopes]]) };
}
