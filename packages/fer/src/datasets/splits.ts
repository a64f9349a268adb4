// From the images of a data set to the splits that a run trains on, and that an evaluation reports.
import { ValueError } from '@mien/tensor';
import { CATALOG, datasetOf, splitNames } from './catalog.ts';
import type { Dataset, Fold, FoldKind } from './dataset.ts';
import { type Faces, type Split, split } from './faces.ts';

/** The images that a run trains on, those that it is tested on after each epoch, and the held-out ones. */
export interface Splits {
  readonly train: Split;
  readonly test: Split;
  readonly heldOut: Split | null;
}

/** The splits of a run; `fold` and `kind` matter for data sets with folds. Throws ValueError for an empty split. */
export function splitsOf(faces: Faces, fold: number, kind: FoldKind = 'reference'): Splits {
  const row = datasetOf(faces.dataset);
  if (!row.splits) return { ...foldOf(row, faces, fold, kind), heldOut: null };
  const { training, test, heldOut } = row.splits;
  const last = heldOut && split(faces, heldOut.name);
  return {
    train: nonEmpty(faces, training.name),
    test: nonEmpty(faces, test.name),
    heldOut: last && last.indices.length > 0 ? last : null,
  };
}

function foldOf({ title, folds }: Dataset, faces: Faces, fold: number, kind: FoldKind): Fold {
  if (!folds) throw new ValueError(`${title} has fixed splits, not folds`);
  const found = folds.divide(faces, kind)[fold - 1];
  if (!found) throw new ValueError(`${foldName(fold, kind)} does not exist, expected 1 to ${folds.count}`);
  return found;
}

/** `fold 3`, or `subject fold 3` for other folds than the reference's. */
export function foldName(fold: number, kind: FoldKind): string {
  return kind === 'reference' ? `fold ${fold}` : `${kind} fold ${fold}`;
}

function nonEmpty(faces: Faces, name: string): Split {
  const found = split(faces, name);
  if (found.indices.length > 0) return found;
  throw new ValueError(`${faces.dataset}: the ${name} split has no images; pass the complete data set`);
}

/** The images of an evaluation and those that its figures need besides. */
export interface Selection {
  readonly selected: Split;
  /** The name of the split in reports. */
  readonly name: string;
  /** The training images; null where they are the selected ones. */
  readonly training: Split | null;
  /** The images that a temperature is fitted on, or the reason why there are none. */
  readonly calibration: {
    readonly on: Split | null;
    readonly name: string | null;
    readonly reason: string | null;
  };
}

/** The split that `option`, a value of `--split`, selects. Throws ValueError for one that the data set does not have. */
export function selectSplit(faces: Faces, option: string | undefined, fold: number, kind: FoldKind): Selection {
  const row = datasetOf(faces.dataset);
  return row.splits ? selectFixed(row, faces, option) : selectInFold(row, faces, option, fold, kind);
}

function selectInFold(row: Dataset, faces: Faces, option: string | undefined, fold: number, kind: FoldKind): Selection {
  const { train, test } = foldOf(row, faces, fold, kind);
  const name = foldName(fold, kind);
  const reason = `${row.title} has only training and test images, and a temperature needs a third split`;
  const calibration = { on: null, name: null, reason };
  if (option === 'training') return { selected: train, name: `${name}, training`, training: null, calibration };
  if (option === undefined || option === 'test') {
    return { selected: test, name: `${name}, test`, training: train, calibration };
  }
  throw new ValueError(`evaluate: ${row.title} has the splits training and test, got ${option}`);
}

function selectFixed(row: Dataset, faces: Faces, option: string | undefined): Selection {
  const { training, test, heldOut } = row.splits as NonNullable<Dataset['splits']>;
  const names = splitNames(row);
  const name = names.find((each) => each.option === (option ?? test.option))?.name;
  if (!name) {
    throw new ValueError(
      `evaluate: ${row.title} has the splits ${names.map((each) => each.option).join(', ')}, got ${option}`,
    );
  }
  const selected = nonEmpty(faces, name);
  const [trained, tested] = [faces.splits[training.name], faces.splits[test.name]];
  const fits = name !== test.name && tested !== undefined && tested.length > 0;
  return {
    selected,
    name,
    training: name === training.name || !trained ? null : { faces, indices: trained },
    calibration: fits
      ? { on: { faces, indices: tested }, name: test.name, reason: null }
      : {
          on: null,
          name: null,
          reason:
            name === test.name
              ? `a temperature is fitted on ${name}, the split that is reported here${heldOut ? `; see --split ${heldOut.option}` : ''}`
              : `a temperature is fitted on ${test.name}, which has no images here`,
        },
  };
}

function splitOptions(row: Dataset): string[] {
  return row.splits ? splitNames(row).map(({ option }) => option) : ['training', 'test'];
}

/** All values of `--split`. */
export const SPLIT_OPTIONS: readonly string[] = [...new Set(CATALOG.flatMap(splitOptions))];

/** The values of `--split` by data set: `training, test (CK+)`. */
export function splitHelp(): string {
  const titles = new Map<string, string[]>();
  for (const row of CATALOG) {
    const options = splitOptions(row).join(', ');
    titles.set(options, [...(titles.get(options) ?? []), row.title]);
  }
  return [...titles].map(([options, names]) => `${options} (${names.join(', ')})`).join('; ');
}
