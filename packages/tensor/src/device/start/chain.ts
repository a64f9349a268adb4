// A chain of dependent dispatches of shaders/device/chain.wgsl in every shape of grid, with parameters at dynamic offsets,
// bindings at offsets, copies and host writes: the result depends on every command and on their order.
import chain from '@mien/shaders/device/chain.wgsl';
import grid from '@mien/shaders/lib/grid.wgsl';
import { difference, randomWords } from './probe.ts';

/** Words that the chain changes: not a multiple of the workgroup size. */
const count = 1100;
const bytes = 4 * count;
/** Slots in each of two buffers, farther apart than 64 KiB. */
const slots = 3;
const slotBytes = 68 * 1024;
/** 18 workgroups are needed; ids past the end do nothing. */
const grids = [
  [18, 1, 1],
  [1, 18, 1],
  [3, 3, 2],
  [1, 1, 18],
  [9, 2, 1],
  [2, 3, 3],
  [5, 2, 2],
  [1, 6, 3],
] as const;
const lanes = 64;
/** Grids with more workgroups than words, for steps in which one lane of each works; each of three rounds uses another one. */
const largeGrids = [
  [1111, 1, 1],
  [45, 25, 1],
  [11, 9, 12],
] as const;
const dispatches = 14;
/** Bytes between the parameters of two dispatches, a multiple of every alignment of WebGPU: together more than 64 KiB. */
const stride = 19 * 256;

type Words = Uint32Array<ArrayBuffer>;

/** Lanes of each workgroup that work: all, or only the first in one step of every other round. */
function workingLanes(step: number, round: number): number {
  return step === 4 && round % 2 === 0 ? 1 : lanes;
}

/** A slot of a buffer, with its expected words. */
interface Place {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  words: Words;
}

/** The commands of a round and their expected results. */
export class Chain {
  /** Bytes that a round copies to the staging buffer. */
  readonly staged: number = 3 * bytes;
  readonly #gpu: GPUDevice;
  readonly #buffers: readonly [GPUBuffer, GPUBuffer];
  readonly #places: readonly Place[];
  readonly #params: GPUBuffer;
  readonly #layout: GPUBindGroupLayout;
  readonly #pipeline: GPUComputePipeline;
  readonly #groups = new Map<number, GPUBindGroup>();
  /** The expected words of the staging buffer, by the kind of operation that they check. */
  #expected: { readonly kind: string; readonly words: Words }[] = [];

  static async open(gpu: GPUDevice): Promise<Chain> {
    const storage = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    });
    const uniform: GPUBufferBindingLayout = { type: 'uniform', hasDynamicOffset: true, minBindingSize: 16 };
    const params = { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: uniform };
    const entries = [params, storage(1, 'read-only-storage'), storage(2, 'storage')];
    const layout = gpu.createBindGroupLayout({ entries });
    const pipeline = await gpu.createComputePipelineAsync({
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: gpu.createShaderModule({ label: 'chain', code: `${chain}\n${grid}` }) },
    });
    return new Chain(gpu, layout, pipeline);
  }

  private constructor(gpu: GPUDevice, layout: GPUBindGroupLayout, pipeline: GPUComputePipeline) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.#gpu = gpu;
    this.#layout = layout;
    this.#pipeline = pipeline;
    const make = (): GPUBuffer => gpu.createBuffer({ size: slots * slotBytes, usage });
    this.#buffers = [make(), make()];
    // WebGPU initializes buffers to zero.
    this.#places = Array.from({ length: 2 * slots }, (_, i) => ({
      buffer: this.#buffers[(i % 2) as 0 | 1],
      offset: slotBytes * (i >> 1),
      words: new Uint32Array(count),
    }));
    this.#params = gpu.createBuffer({
      size: dispatches * stride,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Encodes round `round`; `between` adds dispatches of other kernels in the middle of a pass. */
  encode(
    encoder: GPUCommandEncoder,
    staging: GPUBuffer,
    round: number,
    between: (pass: GPUComputePassEncoder) => void,
  ): void {
    const params = this.#writeParams(round);
    this.#expected = [];
    const stage = (kind: string, { buffer, offset, words }: Place): void => {
      encoder.copyBufferToBuffer(buffer, offset, staging, bytes * this.#expected.length, bytes);
      this.#expected.push({ kind, words });
    };
    const start = this.#at(0, round);
    start.words = randomWords(count);
    this.#gpu.queue.writeBuffer(start.buffer, start.offset, start.words);
    stage('host writes and reads', start);
    // Copying to the other buffer swaps two parts.
    const aside = this.#at(1, round + 1);
    const part = Math.floor(count / 3);
    encoder.copyBufferToBuffer(start.buffer, start.offset, aside.buffer, aside.offset + bytes - 4 * part, 4 * part);
    encoder.copyBufferToBuffer(start.buffer, start.offset + 4 * part, aside.buffer, aside.offset, bytes - 4 * part);
    aside.words = Uint32Array.of(...start.words.subarray(part), ...start.words.subarray(0, part));
    stage('copies', aside);

    let pass = encoder.beginComputePass();
    for (let step = 0; step < dispatches; step++) {
      const [factor, added] = params[step] as readonly [number, number];
      const [x, y] = [this.#at(step, round), this.#at(step + 1, round)];
      pass.setPipeline(this.#pipeline);
      pass.setBindGroup(0, this.#group(x, y), [step * stride]);
      const working = workingLanes(step, round);
      const shapes = working === 1 ? largeGrids : grids;
      pass.dispatchWorkgroups(...(shapes[(step + round) % shapes.length] as readonly [number, number, number]));
      y.words = y.words.map(
        (word, i) => Math.imul(x.words[i] as number, factor) + 3 * word + added + Math.floor(i / working),
      );
      if (step === 5) between(pass);
      if (step !== 9) continue;
      // A copy between two passes of one submit, to a part of another slot.
      pass.end();
      const other = this.#at(step + 2, round);
      encoder.copyBufferToBuffer(y.buffer, y.offset + 64, other.buffer, other.offset + 256, 512);
      other.words = other.words.slice();
      other.words.set(y.words.subarray(16, 144), 64);
      pass = encoder.beginComputePass();
    }
    pass.end();
    stage('dispatches, their order, grids, parameters and bindings', this.#at(dispatches, round));
  }

  /** The first difference of the staged words from the expected ones, or null. */
  verify(staged: ArrayBuffer): { readonly kind: string; readonly detail: string } | null {
    for (const [i, { kind, words }] of this.#expected.entries()) {
      const detail = difference(new Uint32Array(staged, i * bytes, count), words);
      if (detail !== null) return { kind, detail };
    }
    return null;
  }

  /** All its buffers. */
  get buffers(): readonly GPUBuffer[] {
    return [...this.#buffers, this.#params];
  }

  /** The slot that step `step` reads: the buffers alternate, and the round decides the order of slots. */
  #at(step: number, round: number): Place {
    const slot = (step * (1 + (round % 2)) + round) % slots;
    return this.#places[2 * slot + (step % 2)] as Place;
  }

  /** The factor and the summand of each step; factors are odd, so that no bits are lost. */
  #writeParams(round: number): readonly (readonly [number, number])[] {
    const random = randomWords(2 * dispatches);
    const values = Array.from({ length: dispatches }, (_, i): readonly [number, number] => [
      (random[2 * i] as number) | 1,
      (random[2 * i + 1] as number) + round,
    ]);
    const arena = new Uint32Array((dispatches * stride) / 4);
    values.forEach(([factor, step], i) => {
      arena.set([count, factor, step, workingLanes(i, round)], (i * stride) / 4);
    });
    this.#gpu.queue.writeBuffer(this.#params, 0, arena);
    return values;
  }

  #group(x: Place, y: Place): GPUBindGroup {
    const key = this.#places.indexOf(x) * 2 * slots + this.#places.indexOf(y);
    const range = ({ buffer, offset }: Place): GPUBufferBinding => ({ buffer, offset, size: bytes });
    const made =
      this.#groups.get(key) ??
      this.#gpu.createBindGroup({
        layout: this.#layout,
        entries: [
          { binding: 0, resource: { buffer: this.#params, size: 16 } },
          { binding: 1, resource: range(x) },
          { binding: 2, resource: range(y) },
        ],
      });
    this.#groups.set(key, made);
    return made;
  }
}
