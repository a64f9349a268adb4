// AffectNet: faces from the web with eight expressions (Mollahosseini, Hasani and Mahoor 2017).
import { type Dataset, IMAGE_INTERVAL } from './dataset.ts';
import { FER2013 } from './fer2013.ts';

/** The eight classes of AffectNet, in label order. */
export const AFFECT_NET_CLASSES: readonly string[] = [
  'Neutral',
  'Happy',
  'Sad',
  'Surprise',
  'Fear',
  'Disgust',
  'Anger',
  'Contempt',
];

/** AffectNet's row of the catalog. */
export const AFFECT_NET: Dataset<'affectnet'> = {
  name: 'affectnet',
  title: 'AffectNet',
  classes: AFFECT_NET_CLASSES,
  splits: {
    training: { name: 'training', option: 'training' },
    test: { name: 'validation', option: 'validation' },
    heldOut: null,
  },
  folds: null,
  unit: { name: 'image', images: 1 },
  // FER2013's recipes, not tuned on AffectNet.
  recipes: FER2013.recipes,
  hdf5: null,
  prepare: null,
  pytorchTest: 'Test',
  noisyLabels: true,
  interval: IMAGE_INTERVAL,
  caveats: () => [
    'The labels of AffectNet are noisy: two annotators agree on 60.7 % of the images (Mollahosseini et al. 2017).',
    'The test set of AffectNet is not public: figures are of its validation set, which also selects the best epoch.',
  ],
};
