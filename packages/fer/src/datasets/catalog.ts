// The data sets, one row each. To add one: a file beside this one with its row, a reader in readers/ and a line in
// readers/readers.ts, and its row below.
import { ValueError } from '@mien/tensor';
import { AFFECT_NET } from './affectnet.ts';
import { CK_PLUS } from './ckplus.ts';
import type { Dataset, SplitName } from './dataset.ts';
import { DRAWN } from './drawn.ts';
import { FER2013 } from './fer2013.ts';
import { RAF_DB } from './rafdb.ts';

const ROWS: readonly [typeof FER2013, typeof CK_PLUS, typeof RAF_DB, typeof AFFECT_NET, typeof DRAWN] = [
  FER2013,
  CK_PLUS,
  RAF_DB,
  AFFECT_NET,
  DRAWN,
];

/** The names of the data sets. */
export type DatasetName = (typeof ROWS)[number]['name'];

/** The catalog, in the order of lists. */
export const CATALOG: readonly Dataset<DatasetName>[] = ROWS;

/** The data sets that can be trained on. */
export const DATASETS: readonly DatasetName[] = CATALOG.map(({ name }) => name);

/** Whether `name` is in the catalog. */
export function isDatasetName(name: unknown): name is DatasetName {
  return DATASETS.some((each) => each === name);
}

/** The row of `name`. Throws ValueError for a data set that is not in the catalog. */
export function datasetOf(name: string): Dataset<DatasetName> {
  const row = CATALOG.find((each) => each.name === name);
  if (!row) throw new ValueError(`unknown data set ${name}, expected one of ${DATASETS.join(', ')}`);
  return row;
}

/** The fixed splits of a row, in order; empty for folds. */
export function splitNames({ splits }: Dataset): SplitName[] {
  if (!splits) return [];
  return [splits.training, splits.test, ...(splits.heldOut ? [splits.heldOut] : [])];
}

/** The name of the split on which the best epoch is selected: of folds, their test images. */
export function selectionSplit({ splits }: Dataset, select: 'public' | 'private'): string {
  if (!splits) return 'test';
  return select === 'private' && splits.heldOut ? splits.heldOut.name : splits.test.name;
}

/** How many of `images` count as independent in a confidence interval. */
export function independentImages(images: number, dataset: string): number {
  return images / datasetOf(dataset).unit.images;
}

/** The title of a data set; the name itself for one that is not in the catalog. */
export function titleOf(name: string): string {
  return CATALOG.find((each) => each.name === name)?.title ?? name;
}
