import type { AdapterFacts } from '../device/adapter.ts';
import { CaptureError, DeviceError } from '../errors.ts';
import { Allocator, type DeviceBuffer, type FailurePlan } from './allocator.ts';
import { BindGroups } from './bindGroups.ts';
import { reportDispatch } from './dispatches.ts';
import type { Kernel } from './kernel.ts';
import { isNarrow, type Limits, limitsOf } from './limits.ts';
import { currentRecording } from './live.ts';
import { type CompileProgress, Pipelines } from './pipelines.ts';
import { Pool, type PooledBuffer } from './pool.ts';
import type { Device, MemoryReport } from './publicDevice.ts';
import { Readback } from './readback.ts';
import { currentReads } from './reads.ts';
import type { LiveParam, Recorded, RecordedRange } from './recording.ts';
import { type Elapsed, Stopwatch } from './stopwatch.ts';
import { type Content, type ContentRange, Storage } from './storage.ts';
import { type Command, Stream } from './stream.ts';
import { type ProfileSpan, Timer } from './timer.ts';
import type { Work } from './work.ts';

/** One GPU device with its memory pool, its compiled kernels and its stream of pending commands. */
export class DeviceRuntime implements Device {
  readonly facts: AdapterFacts;
  readonly pool: Pool;
  readonly #gpu: GPUDevice;
  readonly #allocator: Allocator;
  readonly #stream: Stream;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  readonly #bindGroups: BindGroups;
  #limits: Limits;
  #failure: Error | null = null;
  #lost: string | null = null;
  /** The kernels that a function would dispatch, while `rehearse` runs it. */
  #rehearsed: Set<Kernel> | null = null;

  constructor(gpu: GPUDevice, facts: AdapterFacts) {
    const onFailure = (error: Error): void => {
      this.#failure ??= error;
    };
    this.facts = facts;
    this.#gpu = gpu;
    this.#limits = limitsOf(gpu, facts);
    this.#allocator = new Allocator(gpu, {
      freeCaches: () => this.#freeCaches(),
      explain: (buffer) => this.pool.explain(buffer),
      onFailure: (buffer) => this.pool.forget(buffer),
    });
    this.pool = new Pool(this.#allocator);
    this.#bindGroups = new BindGroups(gpu);
    this.#stream = new Stream(gpu, this.#allocator, {
      groupOf: (command) => this.#bindGroups.groupOf(command, this.#stream.arena),
    });
    this.#pipelines = new Pipelines(gpu);
    this.#readback = new Readback(this.#allocator);
    gpu.addEventListener('uncapturederror', (event) => onFailure(new DeviceError(`device: ${event.error.message}`)));
    gpu.lost.then(({ reason, message }) => {
      this.#lost = `${reason}: ${message}`;
    });
  }

  /** The limits that work is split by. */
  get limits(): Limits {
    return this.#limits;
  }

  /** Whether workgroups should have just 8 lanes and be few, see `isNarrow`. */
  get narrow(): boolean {
    return isNarrow(this.#limits);
  }

  /** Replaces the limits that work is split by, for tests; the adapter still checks its own. */
  overrideLimits(limits: Limits): void {
    this.#limits = limits;
  }

  /** Bytes and buffers now. */
  memory(): MemoryReport {
    const { liveBytes, reservedBytes, peakBytes, unusedBytes, buffers } = this.pool;
    return { liveBytes, reservedBytes, peakBytes, unusedBytes, buffers };
  }

  /** Makes the creation of buffers fail as planned, for tests; null ends that. */
  failAllocations(plan: FailurePlan | null): void {
    this.#allocator.plan = plan;
  }

  /** Allocates device memory with arbitrary content, for a tensor of `shape`. Throws LimitError beyond the buffer limit. */
  allocate(bytes: number, shape: readonly number[] | null = null): Storage {
    this.expectAlive();
    const recording = currentRecording();
    const rehearsed = recording?.rehearses;
    const buffer = rehearsed ? this.pool.placeholder(bytes) : this.pool.take(bytes, this.#limits.maxBufferSize);
    const storage = new Storage(this, buffer, bytes, shape);
    if (rehearsed)
      storage.failure = new CaptureError(
        'capture: the tensor was made in a check of its function, which computes nothing',
      );
    recording?.made.add(storage);
    return storage;
  }

  /** Copies `data` to device memory. */
  upload(data: ArrayBufferView<ArrayBuffer>, shape: readonly number[] | null = null): Storage {
    this.expectAlive();
    currentRecording()?.refuse(
      'the function makes a tensor from host values; make it outside and pass it as an argument',
    );
    const { byteLength: bytes } = data;
    const buffer = this.pool.take(bytes, this.#limits.maxBufferSize, this.#stream.pending);
    const storage = new Storage(this, buffer, bytes, shape);
    storage.operation = 'tensor';
    const target = { storage, buffer, byteOffset: 0, bytes };
    this.#stream.write(target, new Uint8Array(data.buffer, data.byteOffset, bytes));
    this.#stream.wrote(bytes);
    return storage;
  }

  /** Appends one dispatch; a null binding gets a dummy of 16 bytes. */
  dispatch(
    kernel: Kernel,
    bound: readonly (BoundRange | null)[],
    params: ArrayBuffer | null,
    grid: Grid,
    work: Work | null,
    live: readonly LiveParam[],
  ): void {
    this.expectAlive();
    if (this.#rehearsed) {
      this.#rehearsed.add(kernel);
      return;
    }
    reportDispatch({ kernel, bound, params, grid });
    const compiled = this.#pipelines.get(kernel);
    const ranges = bound.map((range) => range && withBuffer(range));
    const recording = currentRecording();
    recording?.add({ kernel, bound: ranges, params, live, grid, work });
    if (recording?.rehearses) return;
    const buffers: PooledBuffer[] = [];
    let boundBytes = 0;
    const reads = currentReads();
    for (const [i, range] of ranges.entries()) {
      if (!range) continue;
      buffers.push(range.buffer);
      boundBytes += range.bytes;
      if (kernel.bindings[i]?.access === 'read_write') range.storage.wrote(kernel.name);
      else reads?.note(range.storage);
    }
    const [arena, offset, group, groups] = [null, null, null, null];
    this.#stream.append(
      { compiled, bound: ranges, params, arena, offset, grid, work, boundBytes, group, groups },
      buffers,
    );
  }

  /** Appends a copy; offsets and size are multiples of four. */
  copy(from: BoundRange, to: BoundRange, bytes: number): void {
    this.expectAlive();
    if (this.#rehearsed) return;
    const [source, target] = [withBuffer(from), withBuffer(to)];
    const recording = currentRecording();
    recording?.add({ from: source, to: target, bytes });
    if (recording?.rehearses) return;
    currentReads()?.note(source.storage);
    target.storage.wrote('a copy');
    this.#stream.append({ from: source, to: target, bytes }, [source.buffer, target.buffer]);
  }

  /** Commands that repeat recorded ones, with their params at `offsets` in `arena`. */
  prepare(
    commands: readonly Recorded[],
    arena: ContentRange | null,
    offsets: ReadonlyMap<Recorded, number>,
  ): Command[] {
    const groups = new Map<string, GPUBindGroup>();
    return commands.map((command): Command => {
      if (!('kernel' in command)) return command;
      const { kernel, bound, grid, work } = command;
      const compiled = this.#pipelines.get(kernel);
      const at = offsets.get(command);
      const boundBytes = bound.reduce((sum, range) => sum + (range?.bytes ?? 0), 0);
      const offset = at === undefined ? null : ([at] as const);
      return { compiled, bound, params: null, arena, offset, grid, work, boundBytes, group: null, groups };
    });
  }

  /** Appends prepared commands, which use `buffers`. */
  appendAll(commands: readonly Command[], buffers: readonly PooledBuffer[]): void {
    this.expectAlive();
    this.#stream.appendAll(commands, buffers);
  }

  /** The alignment of offsets into a uniform buffer. */
  get uniformAlignment(): number {
    return this.#stream.alignment;
  }

  /** A uniform buffer, for the params of a replay. */
  makeUniform(bytes: number): DeviceBuffer {
    return this.#allocator.make(bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  }

  /** Destroys a buffer once nothing pending uses it. */
  destroyLater(buffer: DeviceBuffer): void {
    this.#stream.afterwards(() => buffer.gpu.destroy());
  }

  /** Submits pending commands and resolves with the first `bytes` of `range`. Throws what kept them from being computed, at every read. */
  async read(range: BoundRange, bytes: number): Promise<ArrayBuffer> {
    this.expectAlive();
    const recording = currentRecording();
    if (recording) {
      recording.note('the function reads values on the host; return the tensor and read it outside');
      // The captured call throws; a rejection here would go unhandled.
      return new Promise(() => {});
    }
    const staging = this.#readback.take(bytes);
    const content: Content = { bytes, failure: null, released: false };
    const from = withBuffer(range);
    this.#stream.append({ from, to: { storage: content, buffer: staging, byteOffset: 0, bytes }, bytes }, [
      from.buffer,
    ]);
    await this.synchronize(false);
    if (content.failure) {
      this.#readback.give(staging);
      throw content.failure;
    }
    const data = await this.#readback.read(staging, bytes);
    await this.#stream.verdict;
    if (content.failure) throw content.failure;
    this.#throwFailure();
    return data;
  }

  /** Submits pending commands and resolves when the device has finished them, or at once without `wait`. */
  async synchronize(wait = true): Promise<void> {
    await this.#stream.settle();
    if (this.pool.trim(this.#stream.pending)) this.#bindGroups.clear();
    if (!wait) return;
    await this.#gpu.queue.onSubmittedWorkDone();
    await this.#stream.verdict;
    this.#throwFailure();
  }

  /** Destroys the unused buffers that no pending command uses. Returns whether there were any. */
  freeUnused(): boolean {
    if (!this.pool.trim(this.#stream.pending, 0)) return false;
    this.#bindGroups.clear();
    return true;
  }

  async #freeCaches(): Promise<boolean> {
    if (!this.freeUnused()) return false;
    await this.#gpu.queue.onSubmittedWorkDone();
    return true;
  }

  /** The number of command buffers submitted. */
  get submits(): number {
    return this.#stream.submits;
  }

  /** Whether a profile is being taken. */
  get isTimed(): boolean {
    return this.#stream.isTimed;
  }

  /** Times every command of `fn`: the commands in order, whether the device's clock timed them, and what `fn` returned. */
  async time<T>(fn: () => T | Promise<T>): Promise<{ spans: ProfileSpan[]; stamps: boolean; result: T }> {
    const timer = new Timer(this.#gpu);
    this.#stream.time(timer);
    try {
      const result = await fn();
      await this.synchronize();
      return { spans: await timer.spans(), stamps: timer.stamps, result };
    } finally {
      this.#stream.time(null);
    }
  }

  /** The device's time for the commands of `fn`; pending ones run before and do not count. */
  async elapsed(fn: () => void): Promise<Elapsed> {
    await this.synchronize();
    const stopwatch = Stopwatch.on(this.#gpu);
    const start = performance.now();
    this.#stream.stopwatch = stopwatch;
    try {
      fn();
      await this.synchronize();
    } finally {
      this.#stream.stopwatch = null;
    }
    const hostSeconds = (performance.now() - start) / 1000;
    const seconds = (await stopwatch?.seconds()) ?? 0;
    return seconds > 0 ? { seconds, clock: 'device' } : { seconds: hostSeconds, clock: 'host' };
  }

  /** Every kernel that was dispatched or compiled on this device. */
  get kernels(): readonly Kernel[] {
    return this.#pipelines.kernels;
  }

  /** Compiles `kernels` in parallel. Throws KernelError for the first that does not compile. */
  async compile(kernels: readonly Kernel[]): Promise<void> {
    const compiled = kernels.map((kernel) => this.#pipelines.get(kernel));
    await Promise.all(compiled.map((each) => each.settled));
    for (const each of compiled) if (each.error) throw each.error;
  }

  /** The kernels that `fn`, which is synchronous, would dispatch: runs it without dispatching. */
  rehearse(fn: () => void): readonly Kernel[] {
    const rehearsed = new Set<Kernel>();
    this.#rehearsed = rehearsed;
    try {
      fn();
    } finally {
      this.#rehearsed = null;
    }
    return [...rehearsed];
  }

  /** Reads every kernel's text again at its next use, for tests that edit it. */
  forgetKernelTexts(): void {
    this.#pipelines.forgetTexts();
    this.#bindGroups.clear();
  }

  /** Runs `fn` and waits for every kernel that it needs; see `warmUp`. */
  watchCompilation<T>(fn: () => T | Promise<T>, onProgress: CompileProgress): Promise<T> {
    this.expectAlive();
    return this.#pipelines.watch(fn, onProgress);
  }

  /** Destroys the device; nothing on it can be used afterwards. */
  destroy(): void {
    this.#gpu.destroy();
  }

  /** Throws DeviceError once the device was lost. */
  expectAlive(): void {
    if (this.#lost === null) return;
    throw new DeviceError(
      `device: lost (${this.#lost}); files and host copies survive, tensors do not: call init() again and load a checkpoint`,
    );
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure) throw failure;
  }
}

function withBuffer({ storage, byteOffset, bytes }: BoundRange): RecordedRange {
  return { storage, buffer: storage.buffer, byteOffset, bytes };
}

/** A range of a storage, sized as a binding: a multiple of 16 bytes. */
export interface BoundRange {
  readonly storage: Storage;
  readonly byteOffset: number;
  readonly bytes: number;
}

/** Workgroups in x, y and z. */
export type Grid = readonly [number, number, number];
