// Batches of a dataset, in an order that depends on the seed and the epoch alone.
import { Generator, ValueError } from '@mien/tensor';
import { expectFunction, expectNumber, expectOptions, kindOf } from '@mien/tensor/internal';
import { optionNames } from '../options.ts';
import type { Dataset } from './dataset.ts';

export interface DataLoaderOptions<Sample, Batch> {
  readonly batchSize: number;
  /** Makes a batch of samples; `stackRows` does for an ArrayDataset. */
  readonly collateFn: (samples: readonly Sample[]) => Batch | Promise<Batch>;
  /** Another order each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Batches that are prepared while one is in use. Default 1. */
  readonly prefetch?: number;
  /** Decides the order and the samples' generators. Default 0. */
  readonly seed?: number;
}

const names = optionNames<DataLoaderOptions<unknown, unknown>>({
  ...{ batchSize: true, collateFn: true, shuffle: true, dropLast: true, prefetch: true, seed: true },
});

/** Where a loader stands; plain numbers, for checkpoints. */
export interface DataLoaderState {
  readonly seed: number;
  readonly epoch: number;
  /** Batches of the epoch that were given out. */
  readonly batch: number;
}

/**
 * Gives the batches of one epoch to each `for await`. It continues where it is: after a loop that was left, or after
 * `loadState`, with the rest of the epoch, or with the next epoch where no batch is left. Inside the loop, `state()` counts
 * the batch in hand as given out.
 */
export class DataLoader<Sample, Batch> implements AsyncIterable<Batch> {
  /** Batches of a whole epoch. */
  readonly length: number;
  readonly #dataset: Dataset<Sample>;
  readonly #options: Required<DataLoaderOptions<Sample, Batch>>;
  #state: DataLoaderState;

  /** Throws ValueError for options out of range, and where there is not one batch. */
  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch>) {
    if (typeof dataset?.get !== 'function' || !Number.isSafeInteger(dataset.length)) {
      throw new ValueError(`DataLoader: dataset must have length and get(index, generator), got ${kindOf(dataset)}`);
    }
    expectOptions('DataLoader', options, names);
    expectFunction('DataLoader: collateFn', options.collateFn);
    this.#options = { shuffle: false, dropLast: false, prefetch: 1, seed: 0, ...options };
    const { batchSize, dropLast, prefetch, seed } = this.#options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`DataLoader: batchSize ${batchSize} is not a positive integer`);
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new ValueError(`DataLoader: prefetch ${prefetch} is not a non-negative integer`);
    }
    const batches = dataset.length / batchSize;
    this.length = dropLast ? Math.floor(batches) : Math.ceil(batches);
    if (this.length === 0) {
      throw new ValueError(`DataLoader: ${dataset.length} samples make no batch of ${batchSize}`);
    }
    this.#dataset = dataset;
    this.#state = { seed, epoch: 0, batch: 0 };
  }

  /** The epoch that it is in, from 0. */
  get epoch(): number {
    return this.#state.epoch;
  }

  /** Where it stands. */
  state(): DataLoaderState {
    return this.#state;
  }

  /** Continues from a state. Throws ValueError for one that this dataset and batch size cannot have had. */
  loadState(state: DataLoaderState): void {
    expectOptions('DataLoader', state);
    const { epoch, batch } = state;
    expectNumber('DataLoader', 'seed', state.seed);
    if (![epoch, batch].every((each) => Number.isInteger(each) && each >= 0) || batch > this.length) {
      throw new ValueError(
        `DataLoader: epoch ${epoch}, batch ${batch} is not a place among ${this.length} batches an epoch`,
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
    const ahead: Promise<Batch>[] = [];
    let next = this.#state.batch;
    for (let batch = next; batch < this.length; batch++) {
      while (next < this.length && ahead.length <= this.#options.prefetch) {
        const made = this.#make(order, seed, epoch, next++);
        // A failure is thrown when its turn comes; until then it is not an unhandled one.
        made.catch(() => {});
        ahead.push(made);
      }
      const ready = await (ahead.shift() as Promise<Batch>);
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
    const { batchSize, collateFn } = this.#options;
    const samples: (Sample | Promise<Sample>)[] = [];
    const end = Math.min(order.length, (batch + 1) * batchSize);
    for (let i = batch * batchSize; i < end; i++) {
      const index = order[i] as number;
      samples.push(this.#dataset.get(index, new Generator(mix(seed, epoch, index + 1))));
    }
    return collateFn(await Promise.all(samples));
  }
}

/** One 32-bit seed from several numbers, each bit of which changes about half of it (MurmurHash3's finalizer). */
function mix(...words: readonly number[]): number {
  let hash = 0;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
