// Expected results of shaders/device/shuffle.wgsl, for subgroups of any size.
import shuffle from '@mien/shaders/device/shuffle.wgsl';
import { difference, type Probe, randomWords } from './probe.ts';

/** Shuffles between the lanes of subgroups of `lanes`. */
export function shuffleProbe(lanes: number): Probe {
  const groups = 5;
  const count = groups * lanes;
  const x = Float32Array.from(randomWords(count), (word) => word % 1000);
  const expected = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [lane, first] = [i % lanes, i - (i % lanes)];
    let sum = 0;
    for (let s = 0; s < lanes; s++) sum += (s + lane + 1) * (x[first + s] as number);
    expected.set([sum, x[first + lanes - 1 - lane] as number], 2 * i);
  }
  return {
    kind: 'subgroup shuffles',
    code: shuffle.replace(/(const LANES: u32 = )\d+/, `$1${lanes}`),
    groups,
    inputs: [x],
    outputs: [expected.byteLength],
    verify: ([y]) => difference(new Float32Array(y as ArrayBuffer), expected),
  };
}
