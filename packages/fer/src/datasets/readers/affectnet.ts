// AffectNet as folders of images: train/0/*.jpg to val/7/*.jpg (Node only).
import { join } from 'node:path';
import { AFFECT_NET } from '../affectnet.ts';
import { foldersIn } from './hiddenFiles.ts';
import { labelOf, readImageTree, splitFolders, type TreeLayout } from './imageTree.ts';
import type { FolderReader } from './reader.ts';

const LAYOUT: TreeLayout = {
  row: AFFECT_NET,
  splits: {
    train: 'training',
    training: 'training',
    train_class: 'training',
    train_set: 'training',
    val: 'validation',
    valid: 'validation',
    validation: 'validation',
    val_class: 'validation',
    val_set: 'validation',
  },
  classes: [
    ['0', 'class001', 'neutral'],
    ['1', 'class002', 'happy', 'happiness'],
    ['2', 'class003', 'sad', 'sadness'],
    ['3', 'class004', 'surprise'],
    ['4', 'class005', 'fear'],
    ['5', 'class006', 'disgust'],
    ['6', 'class007', 'anger', 'angry'],
    ['7', 'class008', 'contempt'],
  ],
  splitPrefix: null,
  testSplit: () => 'validation',
};

/** AffectNet as folders of images. Recognized by contempt, which FER2013's folders lack, or by numbers where it is asked for. */
export const affectNetTree: FolderReader = {
  dataset: AFFECT_NET.name,
  layout: 'AffectNet (folders train and val with folders 0 to 7)',
  recognizes: async (folder, _, asked) => {
    for (const split of await splitFolders(folder, LAYOUT)) {
      const labels = (await foldersIn(join(folder, split))).map((name) => labelOf(name, LAYOUT));
      if (labels.includes(AFFECT_NET.classes.length - 1) || (asked && labels.some((label) => label !== null)))
        return true;
    }
    return false;
  },
  read: (folder, onShare) => readImageTree(folder, LAYOUT, onShare),
};
