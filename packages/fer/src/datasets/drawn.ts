// Drawn faces: a synthetic substitute for FER2013 without a download. Expressions follow the facial action units of Ekman
// and Friesen (1978); everything else about a face, its pose, light and noise is random with a seed.

import { Generator, ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { type Dataset, IMAGE_INTERVAL } from './dataset.ts';
import { type Faces, PIXELS } from './faces.ts';
import { FER2013, FER2013_CLASSES, FER2013_SPLITS } from './fer2013.ts';
import { type Action, paint, type Sketch } from './paint.ts';

/** The drawn faces' row of the catalog: FER2013's classes and splits. */
export const DRAWN: Dataset<'drawn'> = {
  ...FER2013,
  name: 'drawn',
  title: 'drawn faces',
  recipes: {
    reference: { epochs: 20, batchSize: 32, schedule: { kind: 'stepwise', after: 10, every: 1, factor: 0.8 } },
    best: {
      epochs: 6,
      batchSize: 32,
      learningRate: 0.05,
      schedule: { kind: 'cosine', warmup: 0.5 },
      ema: 0.97,
      crops: 10,
      augmentation: null,
    },
    networks: { nano: { epochs: 7, learningRate: 0.1, crops: 1 } },
  },
  prepare: null,
  noisyLabels: false,
  interval: IMAGE_INTERVAL,
  caveats: () => ['Drawn faces only show that learning works; the figure says nothing about photographs.'],
};

const REST: Action = {
  browInner: 0,
  browOuter: 0,
  browTogether: 0,
  lidOpen: 0,
  cheek: 0,
  corner: 0,
  jaw: 0,
  stretch: 0,
  upperLip: 0,
  noseWrinkle: 0,
  fold: 0,
  frown: 0,
  furrow: 0,
};

// One row per class of FER2013, with several variants where expressions differ. Action units in the comments.
const EXPRESSIONS: readonly (readonly Partial<Action>[])[] = [
  [
    // Angry 4 + 5 + 7 + 23: pressed lips, or 4 + 7 + 10 + 25: bared teeth.
    { browInner: -0.14, browOuter: 0.05, browTogether: 0.06, lidOpen: -0.2, corner: -0.05, stretch: -0.12, frown: 1 },
    { browInner: -0.15, browOuter: 0.06, browTogether: 0.06, jaw: 0.12, corner: -0.08, stretch: 0.05, frown: 1 },
  ],
  [
    // Disgust 9 + 10 + 17.
    { browInner: -0.07, browOuter: -0.05, lidOpen: -0.5, corner: -0.09, upperLip: 0.1, noseWrinkle: 1, fold: 0.9 },
    {
      browInner: -0.08,
      lidOpen: -0.45,
      cheek: 0.4,
      corner: -0.06,
      jaw: 0.1,
      upperLip: 0.12,
      noseWrinkle: 1,
      fold: 0.8,
    },
  ],
  [
    // Fear 1 + 2 + 4 + 5 + 20 + 25.
    {
      browInner: 0.15,
      browOuter: 0.0,
      browTogether: 0.05,
      lidOpen: 0.45,
      corner: -0.07,
      jaw: 0.09,
      stretch: 0.22,
      furrow: 0.8,
    },
    {
      browInner: 0.16,
      browOuter: 0.02,
      browTogether: 0.05,
      lidOpen: 0.5,
      corner: -0.1,
      jaw: 0.16,
      stretch: 0.15,
      furrow: 0.6,
    },
  ],
  [
    // Happy 6 + 12, and 6 + 12 + 25 with teeth.
    { cheek: 0.5, lidOpen: -0.15, corner: 0.2, stretch: 0.35, fold: 0.5 },
    { cheek: 0.7, lidOpen: -0.2, corner: 0.22, jaw: 0.18, stretch: 0.4, fold: 0.6 },
  ],
  [
    // Sad 1 + 4 + 15 + 17.
    { browInner: 0.12, browOuter: -0.1, lidOpen: -0.35, corner: -0.17, stretch: -0.08, frown: 0.3 },
    { browInner: 0.1, browOuter: -0.12, lidOpen: -0.5, corner: -0.15, stretch: -0.15 },
  ],
  [
    // Surprise 1 + 2 + 5 + 26.
    { browInner: 0.15, browOuter: 0.15, lidOpen: 0.5, jaw: 0.34, stretch: -0.28, furrow: 0.7 },
    { browInner: 0.13, browOuter: 0.16, lidOpen: 0.4, jaw: 0.26, stretch: -0.35, furrow: 0.5 },
  ],
  [{}, { cheek: 0.05, corner: 0.02 }],
];

/** A random face with the expression `label`. */
function invent(label: number, random: Generator): Sketch {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const chance = (p: number): boolean => random.uniform() < p;
  const variants = EXPRESSIONS[label] as readonly Partial<Action>[];
  const chosen: Action = { ...REST, ...variants[random.integer(variants.length)] };
  const strength = between(1, 1.3);
  const moved = (value: number, jitter: number): number =>
    value * strength * between(0.9, 1.1) + between(-jitter, jitter);
  const act: Action = {
    browInner: moved(chosen.browInner, 0.025),
    browOuter: moved(chosen.browOuter, 0.025),
    browTogether: moved(chosen.browTogether, 0.02),
    lidOpen: moved(chosen.lidOpen, 0.1),
    cheek: Math.max(0, moved(chosen.cheek, 0.05)),
    corner: moved(chosen.corner, 0.02),
    jaw: Math.max(0, moved(chosen.jaw, 0.012)),
    stretch: moved(chosen.stretch, 0.06),
    upperLip: Math.max(0, moved(chosen.upperLip, 0.01)),
    noseWrinkle: Math.max(0, moved(chosen.noseWrinkle, 0.1)),
    fold: Math.max(0, moved(chosen.fold, 0.15)),
    frown: Math.max(0, moved(chosen.frown, 0.1)),
    furrow: Math.max(0, moved(chosen.furrow, 0.1)),
  };
  const skin = between(0.42, 0.86);
  return {
    act,
    width: between(0.7, 0.84),
    jaw: between(0.1, 0.34),
    skin,
    hair: chance(0.75) ? between(0.08, skin * 0.55) : between(0.5, 0.95),
    hairline: between(-0.78, -0.6),
    parting: between(-0.5, 0.5),
    volume: chance(0.12) ? 0 : between(0.05, 0.17),
    longHair: chance(0.4),
    eyeX: between(0.29, 0.35),
    eyeY: between(-0.2, -0.12),
    eyeWidth: between(0.16, 0.2),
    eyeHeight: between(0.085, 0.11),
    iris: between(0.1, 0.4),
    browY: between(0.2, 0.26),
    browThick: between(0.022, 0.045),
    arch: between(0.01, 0.06),
    nose: between(0.2, 0.28),
    noseWidth: between(0.09, 0.13),
    mouthY: between(0.5, 0.58),
    mouthWidth: between(0.26, 0.33),
    lip: between(0.03, 0.06),
    lipTone: between(0.55, 0.8),
    glasses: chance(0.12),
    beard: chance(0.15) ? between(0.2, 0.6) : 0,
    tilt: between(-0.1, 0.1),
    turn: between(-0.16, 0.16),
    nod: between(-0.07, 0.07),
    scale: between(20.5, 24),
    x: between(22, 26),
    y: between(23, 26.5),
    lightX: between(-0.75, 0.75),
    lightY: between(-0.7, 0.25),
    ambient: between(0.4, 0.75),
    gain: between(0.75, 1.15),
    bias: between(-0.07, 0.1),
    back: between(0.1, 0.9),
    backX: between(-0.3, 0.3),
    backY: between(-0.3, 0.3),
    shirt: between(0.1, 0.9),
    softness: between(0.9, 1.6),
    noise: between(0.01, 0.04),
  };
}

/** The number of faces per class in each split. */
export interface DrawnOptions {
  readonly seed?: number;
  readonly training?: number;
  readonly publicTest?: number;
  readonly privateTest?: number;
}

const drawnOptions = optionNames<DrawnOptions>({ seed: true, training: true, publicTest: true, privateTest: true });

/**
 * Draws faces with the seven expressions of FER2013, by default 300 per class for training and 30 and 30 for the tests,
 * shuffled within each split. Synthetic: good to see that learning works, not to report. A seed gives the same bytes on every
 * machine.
 */
export function drawFaces(options: DrawnOptions = {}): Faces {
  expectOptions('drawFaces', options, drawnOptions);
  const { seed = 1, training = 300, publicTest = 30, privateTest = 30 } = options;
  const sizes = [training, publicTest, privateTest];
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1)
      throw new ValueError(`drawFaces: expected 1 face per class or more, got ${size}`);
  }
  const classes = FER2013_CLASSES.length;
  const total = classes * sizes.reduce((sum, size) => sum + size, 0);
  const images = new Uint8Array(total * PIXELS);
  const labels = new Uint8Array(total);
  const splits: Record<string, Int32Array> = {};
  const random = new Generator(seed);
  let at = 0;
  for (const [which, size] of sizes.entries()) {
    const order = random.permutation(size * classes);
    splits[FER2013_SPLITS[which] as string] = Int32Array.from(order, (_, i) => at + i);
    for (const place of order) {
      const label = place % classes;
      labels[at] = label;
      paint(invent(label, random), random, images, at * PIXELS);
      at++;
    }
  }
  return { dataset: DRAWN.name, classes: FER2013_CLASSES, images, labels, splits };
}
