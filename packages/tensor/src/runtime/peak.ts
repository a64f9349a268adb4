// Measures the peak throughput of the adapter: arithmetic in registers and copies of memory.
import arithmeticText from '@mien/shaders/peak/peakArithmetic.wgsl';
import copyText from '@mien/shaders/peak/peakCopy.wgsl';
import { currentDevice } from './defaultDevice.ts';
import { type Kernel, kernel } from './kernel.ts';
import { type MemoryRange, memoryRange, storageOf } from './memoryRange.ts';
import { run } from './run.ts';

/** The measured peak throughput of an adapter. */
export interface Peak {
  /** Multiplications and additions per second, in registers. */
  readonly flops: number;
  /** Bytes read and written per second. */
  readonly bytes: number;
}

const arithmetic: Kernel = kernel(arithmeticText);
/** Lanes, and vec4 per lane: the fastest copy differs between adapters. */
const copies: readonly Kernel[] = [64, 256].flatMap((LANES) =>
  [1, 4].map((VECTORS) => kernel(copyText, { LANES, VECTORS })),
);

/** Bytes that the copies read and write, if one binding may be as large: more than the caches of GPUs and of processors. */
const copiedBytes = { gpu: 1 << 28, software: 1 << 26 };
/** The least seconds of a timing, so that the start of a submit and the resolution of a browser's clock do not count. */
const leastSeconds = 0.03;
/** Host seconds after which a timing is long enough, whatever the device's clock shows. */
const mostSeconds = 1;
const timings = 3;

/** Measures the default device, by its clock if it has one: takes a second, and several on a software adapter. */
export async function measurePeak(): Promise<Peak> {
  await currentDevice().compile([arithmetic, ...copies]);
  const { CHAINS = 1, STEPS = 1, TRIPS = 1, LANES = 1 } = arithmetic.consts;
  const groups = 64;
  const y = allocated(16 * groups * LANES);
  // A factor below one keeps the chains finite. Workgroups past the end of y compute too, but store nothing.
  const compute = (times: number): void => run(arithmetic, { y }, { factor: 0.5, step: 1 }, times * groups);
  const flops = groups * LANES * CHAINS * STEPS * TRIPS * 4 * 2;
  const computing = await shortest(compute);
  const { limits, facts } = currentDevice();
  const wanted = facts.software ? copiedBytes.software : copiedBytes.gpu;
  const copied = Math.min(wanted, limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const [from, to] = [allocated(copied), allocated(copied)];
  let copying = Number.POSITIVE_INFINITY;
  for (const form of copies) {
    const count = Math.ceil(copied / 16 / (form.const('LANES') * form.const('VECTORS')));
    const copy = (times: number): void => {
      for (let i = 0; i < times; i++) run(form, { x: from, y: to }, {}, count);
    };
    copying = Math.min(copying, await shortest(copy));
  }
  for (const range of [y, from, to]) storageOf(range).release();
  return { flops: flops / computing, bytes: (2 * copied) / copying };
}

function allocated(bytes: number): MemoryRange {
  return memoryRange(currentDevice().allocate(bytes), 0, bytes);
}

/** The least seconds of one repetition: each timing is an average over enough repetitions. */
async function shortest(encode: (times: number) => void): Promise<number> {
  let times = 1;
  let least = Number.POSITIVE_INFINITY;
  for (let timing = 0; timing < timings; ) {
    const start = performance.now();
    const { seconds } = await currentDevice().elapsed(() => encode(times));
    if (seconds < leastSeconds && performance.now() - start < 1000 * mostSeconds) {
      times *= seconds < leastSeconds / 16 ? 16 : 2;
      continue;
    }
    least = Math.min(least, seconds / times);
    timing++;
  }
  return least;
}
