// Samples by index. They stay in host memory until a training step makes tensors from a batch.
import { type Generator, ShapeError } from '@mien/tensor';
import { expectHostTensor, type HostTensor } from '../state.ts';
import { defaultCollate } from './collate.ts';

/** Samples by index, as PyTorch's map-style datasets. */
export interface Dataset<Sample> {
  readonly length: number;
  /**
   * The sample at `index`. `generator` is for random augmentation: it depends on the sample and the epoch only, not on the
   * order or the batches.
   */
  get(index: number, generator: Generator): Sample | Promise<Sample>;
}

/** Host arrays with equally many rows: sample i is row i of each. PyTorch's TensorDataset in host memory. */
export class ArrayDataset implements Dataset<readonly HostTensor[]> {
  readonly length: number;
  readonly #columns: readonly HostTensor[];

  /** Throws ShapeError for columns with different numbers of rows. */
  constructor(...columns: readonly HostTensor[]) {
    for (const column of columns) {
      expectHostTensor('ArrayDataset', column);
      const size = column.shape.reduce((product, each) => product * each, 1);
      if (size === column.data.length) continue;
      throw new ShapeError(
        `ArrayDataset: [${column.shape.join(', ')}] needs ${size} elements, got ${column.data.length}`,
      );
    }
    const lengths = columns.map(({ shape }) => shape[0]);
    const [length] = lengths;
    if (length === undefined || lengths.some((each) => each !== length)) {
      throw new ShapeError(
        `ArrayDataset: expected columns with equally many rows, got ${lengths.map(String).join(', ')}`,
      );
    }
    this.length = length;
    this.#columns = columns;
  }

  get(index: number): readonly HostTensor[] {
    return this.#columns.map(({ shape: [, ...shape], dtype, data }) => {
      const size = data.length / this.length;
      return { shape, dtype, data: data.subarray(index * size, (index + 1) * size) };
    });
  }
}

/** Stacks the rows of each column along a new first dimension. @deprecated `DataLoader` does so without `collate`: defaultCollate. */
export function stackRows(samples: readonly (readonly HostTensor[])[]): readonly HostTensor[] {
  return defaultCollate(samples);
}
