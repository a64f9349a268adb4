// Samples by index. They stay in host memory until a training step makes tensors from a batch.
import { type Generator, ShapeError, ValueError } from '@mien/tensor';
import { expectList } from '@mien/tensor/internal';
import { expectHostTensor, type HostTensor } from '../state.ts';

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

/** Stacks the rows of each column along a new first dimension: the collate for an ArrayDataset. */
export function stackRows(samples: readonly (readonly HostTensor[])[]): readonly HostTensor[] {
  expectList('stackRows', 'samples', samples);
  for (const [i, sample] of samples.entries()) {
    expectList('stackRows', `sample ${i}`, sample);
    for (const row of sample) expectHostTensor('stackRows', row);
  }
  const [first] = samples;
  if (!first) throw new ValueError('stackRows: expected at least one sample, got none');
  return first.map((row, column) => {
    const size = row.data.length;
    const data = row.data.constructor as new (length: number) => HostTensor['data'];
    const stacked = new data(samples.length * size);
    samples.forEach((sample, i) => {
      const { shape, data } = sample[column] as HostTensor;
      if (data.length !== size)
        throw new ShapeError(
          `stackRows: expected samples of equal shapes, got [${row.shape}] and, at ${i}, [${shape}]`,
        );
      stacked.set(data, i * size);
    });
    return { shape: [samples.length, ...row.shape], dtype: row.dtype, data: stacked };
  });
}
