// Drawn faces: a synthetic stand-in for FER2013 that needs no download. A face is a few curves whose positions follow
// the facial action units of its expression (Ekman and Friesen 1978), on a head with shape, pose, light and noise.
//
// Only + - * / and sqrt, which IEEE 754 rounds exactly, reach a pixel: no sin, exp or pow, whose last digits differ
// between machines. One seed therefore gives the same bytes everywhere. Units: half the height of a head; y down.
import { Generator, ValueError } from '@mien/tensor';
import { type Faces, PIXELS, SIDE } from './faces.ts';
import { FER2013_CLASSES, FER2013_SPLITS } from './fer2013.ts';

/** What muscles do, as distances from rest: positive raises, opens, widens or deepens. */
interface Action {
  readonly browInner: number;
  readonly browOuter: number;
  readonly browTogether: number;
  readonly lidOpen: number;
  readonly cheek: number;
  readonly corner: number;
  readonly jaw: number;
  readonly stretch: number;
  readonly upperLip: number;
  readonly noseWrinkle: number;
  readonly fold: number;
  readonly frown: number;
  readonly furrow: number;
}

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

// One row per class of FER2013; several where people show one feeling in several ways. Action units in the comments.
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

/** One painted face: all numbers that the painter needs. */
interface Sketch {
  readonly act: Action;
  /** Head: half width, narrowing of the jaw; hair: style, height of the hairline, tones. */
  readonly width: number;
  readonly jaw: number;
  readonly skin: number;
  readonly hair: number;
  readonly hairline: number;
  readonly parting: number;
  readonly volume: number;
  readonly longHair: boolean;
  /** Features. */
  readonly eyeX: number;
  readonly eyeY: number;
  readonly eyeWidth: number;
  readonly eyeHeight: number;
  readonly iris: number;
  readonly browY: number;
  readonly browThick: number;
  readonly arch: number;
  readonly nose: number;
  readonly noseWidth: number;
  readonly mouthY: number;
  readonly mouthWidth: number;
  readonly lip: number;
  readonly lipTone: number;
  readonly glasses: boolean;
  readonly beard: number;
  /** Pose: tan of half the tilt, turn and nod in head units, pixels per unit and the head's centre in pixels. */
  readonly tilt: number;
  readonly turn: number;
  readonly nod: number;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  /** Light: direction, share of ambient, contrast, brightness; background tones; sharpness; noise. */
  readonly lightX: number;
  readonly lightY: number;
  readonly ambient: number;
  readonly gain: number;
  readonly bias: number;
  readonly back: number;
  readonly backX: number;
  readonly backY: number;
  readonly shirt: number;
  readonly softness: number;
  readonly noise: number;
}

function invent(label: number, random: Generator): Sketch {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const chance = (p: number): boolean => random.uniform() < p;
  const variants = EXPRESSIONS[label] as readonly Partial<Action>[];
  const chosen: Action = { ...REST, ...variants[random.integer(variants.length)] };
  const strength = between(0.6, 1.15);
  const moved = (value: number, jitter: number): number =>
    value * strength * between(0.8, 1.2) + between(-jitter, jitter);
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
    noise: between(0.01, 0.05),
  };
}

const unit = (v: number): number => Math.min(Math.max(v, 0), 1);
/** 1 at 0, falling smoothly to 0 at `reach`: the soft edge of shadows and folds. */
const glow = (distance: number, reach: number): number => {
  const t = 1 - (distance * distance) / (reach * reach);
  return t > 0 ? t * t : 0;
};

/** Paints `face` into out[start .. start + 2304]. */
function paint(face: Sketch, random: Generator, out: Uint8Array, start: number): void {
  const { act } = face;
  const half = 1 + face.tilt * face.tilt;
  const cos = (1 - face.tilt * face.tilt) / half;
  const sin = (2 * face.tilt) / half;
  const edge = face.scale / face.softness;
  /** How much of a pixel lies inside a shape whose edge is `distance` away (negative inside). */
  const cover = (distance: number): number => unit(0.5 - distance * edge);
  let tone = 0;
  let head = 0;
  const draw = (ink: number, amount: number): void => {
    tone += (ink - tone) * amount;
  };
  /** Draws on the head only. */
  const mark = (ink: number, amount: number): void => draw(ink, amount * head);
  const lightZ = Math.sqrt(1.3 - Math.min(1.2, face.lightX * face.lightX + face.lightY * face.lightY));
  const mouthHalf = face.mouthWidth * (1 + act.stretch);
  const mouthY = face.mouthY + 0.25 * act.jaw - 0.3 * act.upperLip;
  const chin = 1 + 0.35 * act.jaw;

  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const dx = column + 0.5 - face.x;
      const dy = row + 0.5 - face.y;
      const x = (dx * cos + dy * sin) / face.scale;
      const y = (dy * cos - dx * sin) / face.scale;

      // Background, shoulders, hair behind the head.
      tone = face.back + (face.backX * dx + face.backY * dy) / SIDE;
      draw(face.shirt, cover(1.12 + 0.25 * x * x - y));
      draw(face.skin * 0.6, cover(Math.max(Math.abs(x) - 0.36, 0.6 - y, y - 1.2 + 0.4 * Math.abs(x))));
      const wide = face.width + 0.06 + face.volume;
      const crown =
        Math.sqrt((x * x) / (wide * wide) + (y < 0 ? (y * y) / ((1 + face.volume) * (1 + face.volume)) : 0)) - 1;
      if (face.volume > 0 && (y < 0.1 || face.longHair)) {
        draw(
          face.hair * (0.85 + 0.3 * unit(0.5 - x * face.lightX)),
          cover(Math.max(crown * wide, y - (face.longHair ? 0.95 : 0.1))),
        );
      }

      // The head: an ellipse narrowing to the chin, lit as an ellipsoid.
      const narrow = face.width * (1 - (y > 0 ? face.jaw * y * y : 0));
      const high = y > 0 ? chin : 1;
      const r2 = (x * x) / (narrow * narrow) + (y * y) / (high * high);
      const depth = Math.sqrt(Math.max(0, 1 - r2));
      const lit = Math.max(0, ((x / face.width) * face.lightX + y * face.lightY) * 0.9 + depth * lightZ);
      const shade = face.ambient + (1 - face.ambient) * lit;
      head = cover((Math.sqrt(r2) - 1) * face.width);
      const ear =
        Math.sqrt((Math.abs(x) - face.width) * (Math.abs(x) - face.width) * 4 + (y - 0.05) * (y - 0.05)) - 0.19;
      if (!face.longHair) draw(face.skin * shade * 0.85, cover(ear));
      if (head > 0) {
        const light = face.skin * shade;
        draw(light * (1 - face.beard * 0.55 * unit((y - 0.28 - 0.9 * Math.abs(x) * (y < 0.45 ? 0.2 : 0)) * 5)), head);

        // Features sit on the front of the head, so that turning it moves them the more the nearer they are.
        const u = x - face.turn * depth;
        const v = y - face.nod * depth;
        const side = u < 0 ? -1 : 1;
        const a = Math.abs(u);
        const dark = light * 0.35;

        // Folds and furrows.
        const foldX = 0.14 + 0.5 * (v - 0.16) * (1 + 0.5 * act.stretch);
        if (v > 0.12 && v < 0.62) mark(light * 0.55, act.fold * 0.8 * glow(a - foldX, 0.07) * glow(v - 0.36, 0.28));
        if (v > -0.62 && v < -0.2) mark(light * 0.4, act.frown * 0.9 * glow(a - 0.055, 0.04) * glow(v + 0.36, 0.2));
        for (const line of [-0.66, -0.55]) {
          mark(light * 0.6, act.furrow * 0.7 * glow(v - line - 0.15 * a * a, 0.035) * glow(a, 0.42));
        }
        for (const line of [-0.12, -0.03, 0.06]) {
          mark(light * 0.5, act.noseWrinkle * 0.85 * glow(v - line + 0.35 * a, 0.035) * glow(a, 0.2));
        }

        // Nose: a lit ridge, its shadow on the far side, wings and nostrils, all lifted by a wrinkled nose.
        const tip = face.nose - 0.05 * act.noseWrinkle;
        if (v > -0.25 && v < tip + 0.1) {
          const grow = 0.45 + 0.55 * unit((v + 0.25) / (tip + 0.25));
          mark(light * 1.12, 0.5 * glow(u, 0.07 * grow) * unit((v + 0.25) * 4));
          if (side * face.lightX < 0)
            mark(light * 0.6, 0.5 * glow(a - face.noseWidth * grow, 0.06) * unit((v + 0.2) * 4));
        }
        mark(light * 0.5, 0.75 * glow(v - tip + 0.4 * a * a, 0.045) * glow(a, face.noseWidth * 1.5));
        mark(
          dark,
          0.8 *
            glow(Math.sqrt((a - face.noseWidth * 0.6) * (a - face.noseWidth * 0.6) + (v - tip) * (v - tip) * 2), 0.055),
        );

        // Eyes: sockets, white, iris with pupil and glint, lids.
        const eyeOffset = a - face.eyeX;
        const eyeV = v - face.eyeY;
        mark(light * 0.7, 0.5 * glow(Math.sqrt(eyeOffset * eyeOffset + (eyeV + 0.04) * (eyeV + 0.04) * 2), 0.3));
        const q = eyeOffset / face.eyeWidth;
        const bow = 1 - q * q;
        const open = face.eyeHeight * Math.max(0.12, 1 + act.lidOpen);
        const upper = -open * bow;
        const lower =
          (face.eyeHeight * 0.65 - act.cheek * 0.07 + Math.max(0, act.lidOpen) * 0.03) * Math.max(0, bow) -
          act.cheek * 0.02;
        const lidGap = Math.max(upper - eyeV, eyeV - lower, (Math.abs(q) - 1) * face.eyeWidth);
        mark(0.25 + 0.7 * unit(shade), cover(lidGap));
        const gaze = Math.sqrt(eyeOffset * eyeOffset + (eyeV + 0.01) * (eyeV + 0.01));
        mark(face.iris * 0.8, cover(Math.max(gaze - 0.085, lidGap)));
        mark(0.03, cover(Math.max(gaze - 0.045, lidGap)));
        if (Math.abs(q) < 1.1) {
          mark(dark * 0.6, 0.9 * glow(eyeV - upper, 0.045));
          mark(light * 0.6, 0.4 * glow(eyeV - lower - 0.01, 0.04));
          mark(light * 0.6, 0.35 * glow(eyeV - upper + 0.07, 0.03));
        }
        mark(light * 0.55, act.cheek * 0.6 * glow(eyeV - 0.12 + 0.25 * bow * 0.1, 0.035) * glow(eyeOffset, 0.2));

        // Brows: from inner to outer end, arched.
        const inner = face.eyeX - face.eyeWidth * 1.05 - act.browTogether;
        const along = (a - inner) / (face.eyeWidth * 2.3);
        if (along > -0.2 && along < 1.2) {
          const t = unit(along);
          const browV =
            face.eyeY -
            face.browY -
            act.browInner * (1 - t) -
            act.browOuter * t -
            face.arch * 4 * t * (1 - t) +
            0.05 * t * t;
          const thick = face.browThick * (1.15 - 0.6 * t);
          const gap = Math.max(Math.abs(v - browV) - thick, (Math.abs(along - 0.5) - 0.5) * face.eyeWidth * 2.3);
          mark(Math.min(face.hair, light * 0.45) * 0.9, 0.92 * cover(gap));
        }

        // Mouth: two lips around an opening that shows teeth above and the dark below.
        const w = u / mouthHalf;
        const ends = 1 - w * w;
        if (ends > -0.3) {
          const middle = mouthY - act.corner * (w * w - 0.35) - (act.upperLip > 0.04 ? act.upperLip * 0.35 * w : 0);
          const round = Math.sqrt(Math.max(0, ends));
          const shape = act.stretch < -0.1 ? round : 0.5 * (round + Math.max(0, ends));
          const top = middle - (0.35 * act.jaw + act.upperLip * 0.45) * shape;
          const bottom = middle + (0.8 * act.jaw + act.upperLip * 0.1) * shape;
          const thickTop = face.lip * (0.35 + 0.65 * Math.max(0, ends));
          const sides = (Math.abs(w) - 1) * mouthHalf;
          mark(light * face.lipTone, 0.9 * cover(Math.max(top - thickTop - v, v - bottom - thickTop * 1.3, sides)));
          const gap = Math.max(top - v, v - bottom, sides + 0.02);
          if (act.jaw > 0.03 || act.upperLip > 0.04) {
            mark(0.07, cover(gap));
            const teeth =
              act.stretch > -0.1 ? (act.corner < 0 && act.jaw < 0.14 ? bottom - 0.02 : top + 0.09) : top + 0.03;
            mark(0.3 + 0.6 * unit(shade), 0.9 * cover(Math.max(gap, v - teeth)));
          }
          mark(dark * 0.7, 0.85 * glow(v - middle, 0.035 + 0.01 * round) * unit(1 - act.jaw * 12) * cover(sides));
          mark(
            dark,
            0.5 *
              glow(
                Math.sqrt((Math.abs(w) - 1) * (Math.abs(w) - 1) * mouthHalf * mouthHalf + (v - middle) * (v - middle)),
                0.06,
              ),
          );
        }
        mark(light * 0.7, 0.5 * glow(v - mouthY - face.lip * 2.4 - act.jaw * 0.8, 0.05) * glow(u, 0.2));

        if (face.glasses) {
          const rim = Math.sqrt(eyeOffset * eyeOffset + eyeV * eyeV * 1.5) - 0.26;
          mark(0.12, 0.8 * glow(rim, 0.045));
          if (a < 0.1) mark(0.12, 0.7 * glow(eyeV + 0.03, 0.04));
        }

        // Hair over the forehead.
        const line = face.hairline + 0.35 * (u - face.parting * 0.4) * (u - face.parting * 0.4);
        if (face.volume > 0) mark(face.hair * (0.8 + 0.35 * unit(0.5 - x * face.lightX)), cover(y - line));
      }

      // The camera: contrast, brightness and noise (the sum of four bytes is nearly normal).
      const bits = random.uint32();
      const grain = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
      const value = (tone - 0.5) * face.gain + 0.5 + face.bias + (grain / 150) * face.noise;
      out[start + row * SIDE + column] = Math.floor(255 * unit(value) + 0.5);
    }
  }
}

/** How many faces of each class each split gets. */
export interface DrawnOptions {
  readonly seed?: number;
  readonly training?: number;
  readonly publicTest?: number;
  readonly privateTest?: number;
}

/**
 * Draws faces with the seven expressions of FER2013: as many of each class as the options say (300 for training, 30
 * and 30 for the tests), the classes shuffled inside each split. Synthetic: good to see learning, not to report.
 * One seed gives the same bytes on every machine.
 */
export function drawFaces({ seed = 1, training = 300, publicTest = 30, privateTest = 30 }: DrawnOptions = {}): Faces {
  const sizes = [training, publicTest, privateTest];
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1)
      throw new ValueError(`drawFaces: ${size} faces a class, expected 1 or more`);
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
  return { dataset: 'drawn', classes: FER2013_CLASSES, images, labels, splits };
}
