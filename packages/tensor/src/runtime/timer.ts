// Times commands: by timestamps around a compute pass each, so that they are still submitted together, or, if the adapter has no
// timestamps, by the host's clock around a submit each.
import type { Copy, Dispatch } from './stream.ts';

/** One timed command. */
export interface ProfileSpan {
  /** The kernel with the values that specialize it, or `copy`. */
  readonly kernel: string;
  /** The operation and its shapes, or an empty string. */
  readonly work: string;
  /** Workgroups in x, y and z; zeros for a copy. */
  readonly grid: readonly [number, number, number];
  /** Seconds since the start of the first command. */
  readonly start: number;
  readonly seconds: number;
  /** Multiplications and additions, if the operation reports them. */
  readonly flops: number | null;
  /** Bytes read and written, as the operation reports them, or else the bytes of all bindings. */
  readonly bytes: number;
}

type Timed = Omit<ProfileSpan, 'start' | 'seconds'>;

/** The most queries of a query set. */
const mostQueries = 4096;

/** The commands of one submit, with two timestamps each. */
export class TimedSubmit {
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #timed: Timed[] = [];

  constructor(gpu: GPUDevice) {
    const bytes = 8 * mostQueries;
    this.#set = gpu.createQuerySet({ type: 'timestamp', count: mostQueries });
    this.#resolved = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#staging = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  /** Whether there is no room for another command. */
  get full(): boolean {
    return 2 * this.#timed.length === mostQueries;
  }

  /** Begins a pass for `command` alone. */
  pass(encoder: GPUCommandEncoder, command: Dispatch | Copy): GPUComputePassEncoder {
    const first = 2 * this.#timed.length;
    this.#timed.push(describe(command));
    return encoder.beginComputePass({
      timestampWrites: {
        querySet: this.#set,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    });
  }

  /** Encodes `command`, a copy, between two empty passes, because copies have no timestamps. */
  around(encoder: GPUCommandEncoder, command: Dispatch | Copy, encode: () => void): void {
    const first = 2 * this.#timed.length;
    this.#timed.push(describe(command));
    const querySet = this.#set;
    encoder.beginComputePass({ timestampWrites: { querySet, endOfPassWriteIndex: first } }).end();
    encode();
    encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: first + 1 } }).end();
  }

  /** Copies the timestamps to where the host can read them. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#timed.length === 0) return;
    const count = 2 * this.#timed.length;
    encoder.resolveQuerySet(this.#set, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 8 * count);
  }

  /** Waits for the device and returns the spans, with starts relative to `origin`, nanoseconds of its clock, by default the first. */
  async spans(origin: bigint | null): Promise<{ readonly spans: ProfileSpan[]; readonly origin: bigint }> {
    await this.#staging.mapAsync(GPUMapMode.READ);
    const times = new BigInt64Array(this.#staging.getMappedRange().slice(0));
    for (const used of [this.#set, this.#resolved, this.#staging]) used.destroy();
    const first = origin ?? times[0] ?? 0n;
    // The clock starts at an arbitrary time: only differences fit a double.
    const since = (i: number): number => Number((times[i] ?? first) - first) / 1e9;
    const spans = this.#timed.map((timed, i) => {
      const start = since(2 * i);
      return { ...timed, start, seconds: Math.max(0, since(2 * i + 1) - start) };
    });
    return { spans, origin: first };
  }
}

/** Collects the spans of all submits. */
export class Timer {
  /** Whether the device has timestamps; else each command is submitted and awaited alone. */
  readonly stamps: boolean;
  readonly #gpu: GPUDevice;
  readonly #submits: TimedSubmit[] = [];
  readonly #spans: ProfileSpan[] = [];

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.stamps = gpu.features.has('timestamp-query');
  }

  /** Begins to time a submit. */
  submit(): TimedSubmit {
    const timed = new TimedSubmit(this.#gpu);
    this.#submits.push(timed);
    return timed;
  }

  /** Times one command, which `submit` submits alone. */
  async alone(command: Dispatch | Copy, submit: () => void): Promise<void> {
    const start = performance.now();
    submit();
    await this.#gpu.queue.onSubmittedWorkDone();
    const end = performance.now();
    this.#spans.push({ ...describe(command), start: start / 1000, seconds: (end - start) / 1000 });
  }

  /** All spans, after the device has finished; starts are seconds since the first. */
  async spans(): Promise<ProfileSpan[]> {
    const first = this.#spans[0]?.start ?? 0;
    const spans = this.#spans.map((span) => ({ ...span, start: span.start - first }));
    let origin: bigint | null = null;
    for (const submit of this.#submits) {
      const timed = await submit.spans(origin);
      origin = timed.origin;
      spans.push(...timed.spans);
    }
    return spans;
  }
}

function describe(command: Dispatch | Copy): Timed {
  if ('from' in command) return { kernel: 'copy', work: '', grid: [0, 0, 0], flops: null, bytes: 2 * command.bytes };
  const { compiled, grid, work, boundBytes } = command;
  const { name = '', flops = null, bytes = boundBytes } = work ?? {};
  return { kernel: compiled.kernel.label, work: name, grid, flops, bytes };
}
