// Batches of a dataset, in an order that depends on seed and epoch only.
import { Generator, ValueError } from '@mien/tensor';
import { expectFunction, expectNumber, expectOptions, kindOf, optionNames } from '@mien/tensor/internal';
import { type Collated, defaultCollate } from './collate.ts';
import type { Dataset } from './dataset.ts';

export interface DataLoaderOptions<Sample, Batch = Collated<Sample>> {
  readonly batchSize: number;
  /** Makes a batch from samples. Default `defaultCollate`, which stacks them. */
  readonly collate?: (samples: readonly Sample[]) => Batch | Promise<Batch>;
  /** Whether each epoch has a random order. Default false. */
  readonly shuffle?: boolean;
  /** Whether to skip an incomplete last batch. Default false. */
  readonly dropLast?: boolean;
  /** Batches that are prepared in advance. Default 1. */
  readonly prefetch?: number;
  /** Seed of the order and of the samples' generators. Default 0. */
  readonly seed?: number;
}

const names = optionNames<DataLoaderOptions<unknown, unknown>>({
  ...{ batchSize: true, collate: true, shuffle: true, dropLast: true, prefetch: true, seed: true },
});

/** A loader's position; plain numbers, for checkpoints. */
export interface DataLoaderState {
  readonly seed: number;
  readonly epoch: number;
  /** Batches of the epoch so far. */
  readonly batch: number;
}

/**
 * Iterates over the batches of one epoch per `for await`. After a loop that was left early, or after `loadState`, it
 * continues with the rest of the epoch, or with the next epoch where nothing is left. Inside the loop, `state()` includes
 * the current batch.
 */
export class DataLoader<Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch> {
  /** Batches per epoch. */
  readonly length: number;
  readonly #dataset: Dataset<Sample>;
  readonly #options: Required<DataLoaderOptions<Sample, Batch>>;
  #state: DataLoaderState;

  /** Throws ValueError for options out of range, and for fewer samples than one batch needs. */
  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch>) {
    if (typeof dataset?.get !== 'function' || !Number.isSafeInteger(dataset.length)) {
      throw new ValueError(`DataLoader: dataset must have length and get(index, generator), got ${kindOf(dataset)}`);
    }
    expectOptions('DataLoader', options, names);
    const { collate = defaultCollate as unknown as Required<typeof options>['collate'] } = options;
    expectFunction('DataLoader: collate', collate);
    this.#options = { shuffle: false, dropLast: false, prefetch: 1, seed: 0, ...options, collate };
    const { batchSize, dropLast, prefetch, seed } = this.#options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`DataLoader: batchSize must be a positive integer, got ${kindOf(batchSize)}`);
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new ValueError(`DataLoader: prefetch must be a non-negative integer, got ${kindOf(prefetch)}`);
    }
    const batches = dataset.length / batchSize;
    this.length = dropLast ? Math.floor(batches) : Math.ceil(batches);
    if (this.length === 0) {
      throw new ValueError(
        `DataLoader: expected samples for at least one batch of ${batchSize}, got ${dataset.length}`,
      );
    }
    this.#dataset = dataset;
    this.#state = { seed, epoch: 0, batch: 0 };
  }

  /** The current epoch, from 0. */
  get epoch(): number {
    return this.#state.epoch;
  }

  /** Its position. */
  state(): DataLoaderState {
    return this.#state;
  }

  /** Continues at a position. Throws ValueError for one that this dataset and batch size do not have. */
  loadState(state: DataLoaderState): void {
    expectOptions('DataLoader', state);
    const { epoch, batch } = state;
    expectNumber('DataLoader', 'seed', state.seed);
    if (![epoch, batch].every((each) => Number.isInteger(each) && each >= 0) || batch > this.length) {
      throw new ValueError(
        `DataLoader: expected a position within ${this.length} batches per epoch, got epoch ${epoch}, batch ${batch}`,
      );
    }
    this.#state = { seed: state.seed, epoch, batch };
  }

  /** Moves to the first batch of the next epoch. */
  nextEpoch(): void {
    const { seed, epoch } = this.#state;
    this.#state = { seed, epoch: epoch + 1, batch: 0 };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    if (this.#state.batch === this.length) this.nextEpoch();
    const { seed, epoch } = this.#state;
    const order = this.#order(seed, epoch);
    const prefetched: Promise<Batch>[] = [];
    let next = this.#state.batch;
    for (let batch = next; batch < this.length; batch++) {
      while (next < this.length && prefetched.length <= this.#options.prefetch) {
        const promise = this.#make(order, seed, epoch, next++);
        // A failure is thrown at its batch; until then the rejection must not count as unhandled.
        promise.catch(() => {});
        prefetched.push(promise);
      }
      const ready = await (prefetched.shift() as Promise<Batch>);
      this.#state = { seed, epoch, batch: batch + 1 };
      yield ready;
    }
    this.nextEpoch();
  }

  #order(seed: number, epoch: number): ArrayLike<number> {
    const { length } = this.#dataset;
    return this.#options.shuffle
      ? new Generator(mix(seed, epoch)).permutation(length)
      : Int32Array.from({ length }, (_, i) => i);
  }

  async #make(order: ArrayLike<number>, seed: number, epoch: number, batch: number): Promise<Batch> {
    const { batchSize, collate } = this.#options;
    const samples: (Sample | Promise<Sample>)[] = [];
    const end = Math.min(order.length, (batch + 1) * batchSize);
    for (let i = batch * batchSize; i < end; i++) {
      const index = order[i] as number;
      samples.push(this.#dataset.get(index, new Generator(mix(seed, epoch, index + 1))));
    }
    return collate(await Promise.all(samples));
  }
}

/** One 32-bit seed from several numbers: each of their bits changes about half of its bits (MurmurHash3's finalizer). */
function mix(...numbers: readonly number[]): number {
  let hash = 0;
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
