// Expected results of shaders/device/exchange.wgsl, in which lanes exchange values.
import exchange from '@mien/shaders/device/exchange.wgsl';
import { difference, type Probe, randomWords } from './probe.ts';

const lanes = 128;
const rounds = 6;

/** Workgroup memory and barriers, in independent workgroups. */
export function exchangeProbe(): Probe {
  const groups = 5;
  const x = randomWords(lanes * groups);
  const y = new Uint32Array(x.length);
  for (let group = 0; group < groups; group++) {
    const start = lanes * group;
    let values = x.slice(start, start + lanes);
    const read = y.subarray(start, start + lanes);
    for (let round = 0; round < rounds; round++) {
      values = step(values, round);
      for (let i = 0; i < read.length; i++) read[i] = Math.imul(read[i] as number, 3) + (values[i] as number);
    }
  }
  return {
    kind: 'workgroup memory and barriers',
    code: exchange,
    groups,
    inputs: [Uint32Array.of(rounds), x],
    outputs: [y.byteLength, 16],
    verify: ([found, flags]) =>
      difference(new Uint32Array(found as ArrayBuffer), y) ??
      difference(new Uint32Array(flags as ArrayBuffer), new Array<number>(4).fill((1 << groups) - 1), 'of the flags '),
  };
}

/** The values of the lanes of a workgroup after a round. */
function step(values: Uint32Array<ArrayBuffer>, round: number): Uint32Array<ArrayBuffer> {
  return values.map((_, lane) => {
    const added = lane < lanes >> round ? (values[lane ^ 64] as number) : 0;
    return (values[(lane * 5 + 37 * (round + 1)) % lanes] as number) + round + added;
  });
}
