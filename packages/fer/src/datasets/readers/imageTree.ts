// Folders of image files: <split>/<class>/*.png, or <class>/Training_*.png (Node only).
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { splitNames } from '../catalog.ts';
import type { Dataset } from '../dataset.ts';
import type { Faces } from '../faces.ts';
import { FER2013, FER2013_SPLITS } from '../fer2013.ts';
import { foldersIn, isSystemName } from './hiddenFiles.ts';
import { IMAGE, type ImageFile, readImageFiles } from './imageFiles.ts';
import type { FolderReader } from './reader.ts';

/** How a data set names its folders of images. */
export interface TreeLayout {
  readonly row: Dataset;
  /** Splits by the lower-case names of their folders. */
  readonly splits: Readonly<Record<string, string>>;
  /** Lower-case names of class folders, by label. */
  readonly classes: readonly (readonly string[])[];
  /** Whether file names can carry the split instead, as `Training_123.jpg`. */
  readonly splitPrefix: RegExp | null;
  /** Decides the split of files whose folder says only `test`. */
  readonly testSplit: (splits: ReadonlySet<string>) => string;
}

/** Folders that are named `test` only. */
const TEST = 'test';

const FER2013_TREE: TreeLayout = {
  row: FER2013,
  splits: {
    training: 'Training',
    train: 'Training',
    publictest: 'PublicTest',
    public: 'PublicTest',
    validation: 'PublicTest',
    valid: 'PublicTest',
    val: 'PublicTest',
    privatetest: 'PrivateTest',
    private: 'PrivateTest',
    test: TEST,
  },
  classes: [
    ['angry', 'anger', '0'],
    ['disgust', 'disgusted', '1'],
    ['fear', 'fearful', '2'],
    ['happy', 'happiness', '3'],
    ['sad', 'sadness', '4'],
    ['surprise', 'surprised', '5'],
    ['neutral', '6'],
  ],
  splitPrefix: new RegExp(`^(${FER2013_SPLITS.join('|')})_`),
  testSplit: (splits) => (splits.has('PublicTest') ? 'PrivateTest' : 'PublicTest'),
};

/** FER2013 as folders of images. */
export const fer2013Tree: FolderReader = {
  dataset: FER2013.name,
  layout: 'the folders train and test of FER2013 with a folder per class',
  recognizes: async (folder) =>
    (await splitFolders(folder, FER2013_TREE)).length > 0 || (await hasSplitPrefixes(folder, FER2013_TREE)),
  read: (folder, onShare) => readTree(folder, onShare),
};

/**
 * Reads folders of images with FER2013's classes, split by split, class by class and by name. Color becomes gray and other
 * sizes become 48x48; `converted` counts both. Throws FormatError naming the file or folder.
 */
export function readTree(folder: string, onShare: (share: number) => void = () => {}): Promise<Faces> {
  return readImageTree(folder, FER2013_TREE, onShare);
}

/** Reads folders of images with the names of `layout`. */
export async function readImageTree(
  folder: string,
  layout: TreeLayout,
  onShare: (share: number) => void,
): Promise<Faces> {
  const { files, hidden } = await filesOf(folder, layout);
  return { ...(await readImageFiles(folder, files, layout.row, onShare)), hidden };
}

/** The split folders in `folder`. */
export async function splitFolders(folder: string, { splits }: TreeLayout): Promise<string[]> {
  return (await foldersIn(folder)).filter((name) => name.toLowerCase() in splits);
}

/** Whether images in `folder`'s class folders carry their split in their names. */
async function hasSplitPrefixes(folder: string, layout: TreeLayout): Promise<boolean> {
  const { splitPrefix } = layout;
  if (!splitPrefix) return false;
  for (const name of await foldersIn(folder)) {
    if (labelOf(name, layout) === null) continue;
    const files = await readdir(join(folder, name));
    if (files.some((file) => splitPrefix.test(file) && IMAGE.test(file) && !isSystemName(file))) return true;
  }
  return false;
}

/** The label of a class folder, or null for another folder. */
export function labelOf(name: string, { classes }: TreeLayout): number | null {
  const label = classes.findIndex((names) => names.includes(name.toLowerCase()));
  return label < 0 ? null : label;
}

/** The image files of a tree, and the number of files that were skipped as hidden files of an operating system. */
async function filesOf(
  folder: string,
  layout: TreeLayout,
): Promise<{ readonly files: readonly ImageFile[]; readonly hidden: number }> {
  const { row, splits, splitPrefix, testSplit } = layout;
  const outer = await splitFolders(folder, layout);
  const found: ImageFile[] = [];
  let hidden = 0;
  for (const name of outer.length > 0 ? outer : ['']) {
    for (const inner of await foldersIn(join(folder, name))) {
      const label = labelOf(inner, layout);
      if (label === null) {
        throw new FormatError(
          `${join(folder, name, inner)}: expected a folder named after a class of ${row.title} (${row.classes.join(', ')}), got ${inner}`,
        );
      }
      for (const file of await readdir(join(folder, name, inner))) {
        if (!IMAGE.test(file)) continue;
        if (isSystemName(file)) {
          hidden++;
          continue;
        }
        const split = splitPrefix?.exec(file)?.[1] ?? splits[name.toLowerCase()];
        if (!split) {
          throw new FormatError(
            `${join(folder, name, inner, file)}: unknown split, expected folders train and test around the classes, or names such as Training_1.png`,
          );
        }
        found.push({ source: [name, inner, file].filter((part) => part !== '').join('/'), label, split });
      }
    }
  }
  if (found.length === 0) throw new FormatError(`${folder}: no images in <split>/<class>/`);
  const known = new Set(found.map(({ split }) => split));
  const files = found.map((file) => (file.split === TEST ? { ...file, split: testSplit(known) } : file));
  const order = splitNames(row).map(({ name }) => name);
  const rank = ({ split }: ImageFile): number => order.indexOf(split);
  files.sort(
    (a, b) => rank(a) - rank(b) || a.label - b.label || (a.source < b.source ? -1 : Number(a.source > b.source)),
  );
  return { files, hidden };
}
