// Expected results of shaders/device/halves.wgsl, which rounds to f16.
import halves from '@mien/shaders/device/halves.wgsl';
import type { Probe } from './probe.ts';

/** Conversions to f16 of exact numbers and of numbers that are rounded. */
export function halfProbe(): Probe {
  const count = 256;
  const x = Float32Array.from(
    { length: count },
    (_, i) => (i % 2 ? 1 : -1) * (1 + (i * 37) / 1024) * 2 ** ((i % 13) - 6),
  );
  const verify = ([h, y]: readonly ArrayBuffer[]): string | null => {
    const bits = new Uint16Array(h as ArrayBuffer);
    const sums = new Float32Array(y as ArrayBuffer);
    for (let i = 0; i < count; i++) {
      const [value, half, sum] = [x[i] as number, halfOf(bits[i] as number), sums[i] as number];
      if (!(Math.abs(half - value) <= 2 ** -10 * Math.abs(value))) return `${value} is ${half} in f16`;
      // An adapter may omit the rounding if the number stays in a register.
      const expected = half * half + value;
      if (!(Math.abs(sum - expected) <= 2 ** -9 * half * half + 2 ** -22 * Math.abs(value)))
        return `element ${i} of h * h + x is ${sum}, expected ${expected}`;
    }
    return null;
  };
  return { kind: 'f16', code: halves, groups: count / 64, inputs: [x], outputs: [2 * count, 4 * count], verify };
}

/** The number of normal f16 bits. */
function halfOf(bits: number): number {
  return (bits >> 15 ? -1 : 1) * 2 ** (((bits >> 10) & 31) - 15) * (1 + (bits & 1023) / 1024);
}
