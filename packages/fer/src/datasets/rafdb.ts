// RAF-DB: faces from the web with seven basic expressions (Li, Deng and Du 2017), as a list of labels and aligned images.
import { FormatError } from '@mien/nn';
import { type Dataset, IMAGE_INTERVAL } from './dataset.ts';
import { FER2013 } from './fer2013.ts';

/** The seven classes of RAF-DB, in label order; the list counts them from 1. */
export const RAF_DB_CLASSES: readonly string[] = [
  'Surprise',
  'Fear',
  'Disgust',
  'Happiness',
  'Sadness',
  'Anger',
  'Neutral',
];

/** RAF-DB's row of the catalog. */
export const RAF_DB: Dataset<'raf-db'> = {
  name: 'raf-db',
  title: 'RAF-DB',
  classes: RAF_DB_CLASSES,
  splits: {
    training: { name: 'training', option: 'training' },
    test: { name: 'test', option: 'test' },
    heldOut: null,
  },
  folds: null,
  unit: { name: 'image', images: 1 },
  // FER2013's recipes, not tuned on RAF-DB.
  recipes: FER2013.recipes,
  hdf5: null,
  prepare: null,
  pytorchTest: 'Test',
  noisyLabels: false,
  interval: IMAGE_INTERVAL,
  caveats: () => [
    'The classes of RAF-DB are imbalanced: report the macro average of the recall too.',
    'RAF-DB has no third split: the best epoch is selected on the reported images, so report the last epoch.',
  ],
};

/** One image of RAF-DB's list. */
export interface RafDbEntry {
  /** The name of the image, `train_00001`. */
  readonly name: string;
  readonly label: number;
  readonly split: 'training' | 'test';
}

/** Parses RAF-DB's list, lines such as `train_00001.jpg 5`. Throws FormatError with the line. */
export function parseRafDbList(text: string, file = 'list_patition_label.txt'): RafDbEntry[] {
  const entries: RafDbEntry[] = [];
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue;
    const [, name, split, label] = /^((train|test)_\w+)\.\w+\s+([1-7])$/.exec(line.trim()) ?? [];
    if (!name || !label) {
      throw new FormatError(
        `${file}, line ${i + 1}: expected a line such as train_00001.jpg 5 with a label from 1 to 7, got ${JSON.stringify(line.slice(0, 40))}`,
      );
    }
    entries.push({ name, label: Number(label) - 1, split: split === 'train' ? 'training' : 'test' });
  }
  if (entries.length === 0) throw new FormatError(`${file}: no lines`);
  return entries;
}
