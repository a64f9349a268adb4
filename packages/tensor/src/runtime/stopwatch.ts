// Times submits by the device's clock: a timestamp before and after each one. The host's work and its wait do not count, and passes
// are encoded as without a stopwatch.

/** The result of `DeviceRuntime.elapsed`. */
export interface Elapsed {
  readonly seconds: number;
  /** `host` if the device has no timestamps: `seconds` then includes encoding, a submit and a wait. */
  readonly clock: 'device' | 'host';
}

/** Two timestamps of one submit. */
interface Lap {
  readonly querySet: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly staging: GPUBuffer;
}

/** Adds up the device's time over submits. */
export class Stopwatch {
  readonly #gpu: GPUDevice;
  readonly #laps: Lap[] = [];

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** A new stopwatch, or null if the device has no timestamps. */
  static on(gpu: GPUDevice): Stopwatch | null {
    return gpu.features.has('timestamp-query') ? new Stopwatch(gpu) : null;
  }

  /** Encodes the first timestamp of a submit. */
  begin(encoder: GPUCommandEncoder): void {
    const lap = {
      querySet: this.#gpu.createQuerySet({ type: 'timestamp', count: 2 }),
      resolved: this.#gpu.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
      staging: this.#gpu.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    };
    this.#laps.push(lap);
    encoder.beginComputePass({ timestampWrites: { querySet: lap.querySet, endOfPassWriteIndex: 0 } }).end();
  }

  /** Encodes the last timestamp of the current submit. */
  end(encoder: GPUCommandEncoder): void {
    const { querySet, resolved, staging } = this.#laps.at(-1) as Lap;
    encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 1 } }).end();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
  }

  /** Seconds of all submits, after the device has finished them. */
  async seconds(): Promise<number> {
    let nanoseconds = 0;
    for (const { querySet, resolved, staging } of this.#laps.splice(0)) {
      await staging.mapAsync(GPUMapMode.READ);
      // The clock starts at an arbitrary time: only differences fit a double.
      const [first = 0n, last = 0n] = new BigInt64Array(staging.getMappedRange());
      nanoseconds += Math.max(0, Number(last - first));
      for (const used of [querySet, resolved, staging]) used.destroy();
    }
    return nanoseconds / 1e9;
  }
}
