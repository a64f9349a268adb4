// Paints one 48x48 face from parameters. Units: half the height of a head, x to the right, y down, the head's center at 0.
//
// Pixels depend only on + - * / and sqrt, which IEEE 754 rounds exactly, not on sin, exp or pow, whose last digits differ
// between machines. A seed therefore gives the same bytes everywhere.
import type { Generator } from '@mien/tensor';
import { SIDE } from './faces.ts';

/** Displacements by muscles from rest: positive values raise, open, widen or deepen. */
export interface Action {
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

/** The parameters of one face. */
export interface Sketch {
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
  /** Pose: tan of half the tilt, turn and nod in head units, pixels per unit and the head's center in pixels. */
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

const unit = (v: number): number => Math.min(Math.max(v, 0), 1);
const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);
/** 1 at 0, falling smoothly to 0 at `reach`, for soft edges of shadows and folds. */
const glow = (distance: number, reach: number): number => {
  const t = 1 - (distance * distance) / (reach * reach);
  return t > 0 ? t * t : 0;
};

/** The current pixel: its position and its color so far. */
class Pixel {
  /** Position in the image plane, upright with the head. */
  x = 0;
  y = 0;
  /** Position on the face, shifted by turn and nod in proportion to depth; `a` is the distance from its center. */
  u = 0;
  v = 0;
  a = 0;
  /** Light, and the skin's shade in it. */
  shade = 0;
  skin = 0;
  tone = 0;
  /** The share of it that the head covers. */
  head = 0;
  readonly #edge: number;

  constructor(edge: number) {
    this.#edge = edge;
  }

  /** The share of it inside a shape whose edge is `distance` away (negative inside). */
  cover(distance: number): number {
    return unit(0.5 - distance * this.#edge);
  }

  draw(ink: number, amount: number): void {
    this.tone += (ink - this.tone) * amount;
  }

  /** Draws on the head only. */
  mark(ink: number, amount: number): void {
    this.tone += (ink - this.tone) * amount * this.head;
  }
}

/** Paints `face` into out[start .. start + 2304]; `random` draws the noise. */
export function paint(face: Sketch, random: Generator, out: Uint8Array, start: number): void {
  const half = 1 + face.tilt * face.tilt;
  const cos = (1 - face.tilt * face.tilt) / half;
  const sin = (2 * face.tilt) / half;
  const p = new Pixel(face.scale / face.softness);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const dx = column + 0.5 - face.x;
      const dy = row + 0.5 - face.y;
      p.x = (dx * cos + dy * sin) / face.scale;
      p.y = (dy * cos - dx * sin) / face.scale;
      p.tone = face.back + (face.backX * dx + face.backY * dy) / SIDE;
      behind(p, face);
      head(p, face);
      if (p.head > 0) {
        folds(p, face);
        nose(p, face);
        eyes(p, face);
        brows(p, face);
        mouth(p, face);
        hair(p, face);
      }
      // Camera: contrast, brightness and noise (the sum of four bytes is nearly normal).
      const bits = random.uint32();
      const grain = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
      const value = (p.tone - 0.5) * face.gain + 0.5 + face.bias + (grain / 150) * face.noise;
      out[start + row * SIDE + column] = Math.floor(255 * unit(value) + 0.5);
    }
  }
}

/** Shoulders, neck and the hair behind the head. */
function behind(p: Pixel, face: Sketch): void {
  const { x, y } = p;
  p.draw(face.shirt, p.cover(1.12 + 0.25 * x * x - y));
  p.draw(face.skin * 0.6, p.cover(Math.max(Math.abs(x) - 0.36, 0.6 - y, y - 1.2 + 0.4 * Math.abs(x))));
  const lowest = face.longHair ? 0.95 : 0.1;
  if (face.volume === 0 || y > lowest + 0.1) return;
  const wide = face.width + 0.06 + face.volume;
  const crown = length(x / wide, y < 0 ? y / (1 + face.volume) : 0) - 1;
  p.draw(hairTone(p, face), p.cover(Math.max(crown * wide, y - lowest)));
}

/** An ellipse that narrows to the chin, lit as an ellipsoid, with ears and beard; sets what the features need. */
function head(p: Pixel, face: Sketch): void {
  const { x, y } = p;
  const narrow = face.width * (1 - (y > 0 ? face.jaw * y * y : 0));
  const radius = length(x / narrow, y > 0 ? y / (1 + 0.35 * face.act.jaw) : y);
  const depth = Math.sqrt(Math.max(0, 1 - radius * radius));
  const lightZ = Math.sqrt(1.3 - Math.min(1.2, face.lightX * face.lightX + face.lightY * face.lightY));
  const lit = Math.max(0, ((x / face.width) * face.lightX + y * face.lightY) * 0.9 + depth * lightZ);
  p.shade = face.ambient + (1 - face.ambient) * lit;
  p.skin = face.skin * p.shade;
  p.head = p.cover((radius - 1) * face.width);
  p.u = x - face.turn * depth;
  p.v = y - face.nod * depth;
  p.a = Math.abs(p.u);
  if (!face.longHair) p.draw(p.skin * 0.85, p.cover(length(2 * (Math.abs(x) - face.width), y - 0.05) - 0.19));
  const beard = unit((y - 0.28 - 0.9 * Math.abs(x) * (y < 0.45 ? 0.2 : 0)) * 5);
  p.draw(p.skin * (1 - face.beard * 0.55 * beard), p.head);
}

/** Folds beside the mouth, between the brows, on the forehead and across the nose. */
function folds(p: Pixel, { act }: Sketch): void {
  const { a, v, skin } = p;
  if (v > 0.7) return;
  const beside = 0.14 + 0.5 * (v - 0.16) * (1 + 0.5 * act.stretch);
  if (v > 0.12) p.mark(skin * 0.55, act.fold * 0.8 * glow(a - beside, 0.07) * glow(v - 0.36, 0.28));
  else p.mark(skin * 0.4, act.frown * 0.9 * glow(a - 0.055, 0.04) * glow(v + 0.36, 0.2));
  for (const line of [-0.66, -0.55]) {
    p.mark(skin * 0.6, act.furrow * 0.7 * glow(v - line - 0.15 * a * a, 0.035) * glow(a, 0.42));
  }
  for (const line of [-0.12, -0.03, 0.06]) {
    p.mark(skin * 0.5, act.noseWrinkle * 0.85 * glow(v - line + 0.35 * a, 0.035) * glow(a, 0.2));
  }
}

/** A lit ridge with its shadow, wings and nostrils; wrinkling lifts the nose. */
function nose(p: Pixel, face: Sketch): void {
  const { u, v, a, skin } = p;
  const tip = face.nose - 0.05 * face.act.noseWrinkle;
  if (v < -0.25 || v > tip + 0.1 || a > 0.3) return;
  const grown = 0.45 + 0.55 * unit((v + 0.25) / (tip + 0.25));
  p.mark(skin * 1.12, 0.5 * glow(u, 0.07 * grown) * unit((v + 0.25) * 4));
  const farSide = u * face.lightX < 0;
  if (farSide) p.mark(skin * 0.6, 0.5 * glow(a - face.noseWidth * grown, 0.06) * unit((v + 0.2) * 4));
  p.mark(skin * 0.5, 0.75 * glow(v - tip + 0.4 * a * a, 0.045) * glow(a, face.noseWidth * 1.5));
  p.mark(skin * 0.35, 0.8 * glow(length(a - face.noseWidth * 0.6, 1.4 * (v - tip)), 0.055));
}

/** Sockets, whites, irises with pupils, lids, the cheek's fold below, and glasses. */
function eyes(p: Pixel, face: Sketch): void {
  const { act } = face;
  const { skin } = p;
  const across = p.a - face.eyeX;
  const down = p.v - face.eyeY;
  if (Math.abs(down) > 0.4) return;
  p.mark(skin * 0.7, 0.5 * glow(length(across, 1.4 * (down + 0.04)), 0.3));
  const q = across / face.eyeWidth;
  const bow = 1 - q * q;
  const upper = -face.eyeHeight * Math.max(0.12, 1 + act.lidOpen) * bow;
  const drop = face.eyeHeight * 0.65 - act.cheek * 0.07 + Math.max(0, act.lidOpen) * 0.03;
  const lower = drop * Math.max(0, bow) - act.cheek * 0.02;
  const lids = Math.max(upper - down, down - lower, (Math.abs(q) - 1) * face.eyeWidth);
  const gaze = length(across, down + 0.01);
  p.mark(0.25 + 0.7 * unit(p.shade), p.cover(lids));
  p.mark(face.iris * 0.8, p.cover(Math.max(gaze - 0.085, lids)));
  p.mark(0.03, p.cover(Math.max(gaze - 0.045, lids)));
  if (Math.abs(q) < 1.1) {
    p.mark(skin * 0.2, 0.9 * glow(down - upper, 0.045));
    p.mark(skin * 0.6, 0.4 * glow(down - lower - 0.01, 0.04));
    p.mark(skin * 0.6, 0.35 * glow(down - upper + 0.07, 0.03));
  }
  p.mark(skin * 0.55, act.cheek * 0.6 * glow(down - 0.12 + 0.025 * bow, 0.035) * glow(across, 0.2));
  if (!face.glasses) return;
  p.mark(0.12, 0.8 * glow(length(across, 1.22 * down) - 0.26, 0.045));
  if (p.a < 0.1) p.mark(0.12, 0.7 * glow(down + 0.03, 0.04));
}

/** Brows from the inner end (t = 0) to the outer (t = 1), arched and tapering. */
function brows(p: Pixel, face: Sketch): void {
  const { act } = face;
  const reach = face.eyeWidth * 2.3;
  const along = (p.a - face.eyeX + face.eyeWidth * 1.05 + act.browTogether) / reach;
  if (along < -0.2 || along > 1.2 || p.v > 0.1) return;
  const t = unit(along);
  const raised = act.browInner * (1 - t) + act.browOuter * t + face.arch * 4 * t * (1 - t) - 0.05 * t * t;
  const gap = Math.abs(p.v - face.eyeY + face.browY + raised) - face.browThick * (1.15 - 0.6 * t);
  const ink = Math.min(face.hair, p.skin * 0.45) * 0.9;
  p.mark(ink, 0.92 * p.cover(Math.max(gap, (Math.abs(along - 0.5) - 0.5) * reach)));
}

/** Two lips around an opening with teeth on a dark background, and the shadow below the lower lip. */
function mouth(p: Pixel, face: Sketch): void {
  const { act } = face;
  const { u, v, skin } = p;
  if (v < 0.1) return;
  const middleY = face.mouthY + 0.25 * act.jaw - 0.3 * act.upperLip;
  p.mark(skin * 0.7, 0.5 * glow(v - middleY - face.lip * 2.4 - act.jaw * 0.8, 0.05) * glow(u, 0.2));
  const half = face.mouthWidth * (1 + act.stretch);
  const w = u / half;
  const bow = Math.max(0, 1 - w * w);
  if (w * w > 1.3) return;
  // Disgust lifts one side of the lip.
  const middle = middleY - act.corner * (w * w - 0.35) - (act.upperLip > 0.04 ? act.upperLip * 0.35 * w : 0);
  const round = Math.sqrt(bow);
  const shape = act.stretch < -0.1 ? round : 0.5 * (round + bow);
  const top = middle - (0.35 * act.jaw + act.upperLip * 0.45) * shape;
  const bottom = middle + (0.8 * act.jaw + act.upperLip * 0.1) * shape;
  const thick = face.lip * (0.35 + 0.65 * bow);
  const sides = (Math.abs(w) - 1) * half;
  p.mark(skin * face.lipTone, 0.9 * p.cover(Math.max(top - thick - v, v - bottom - thick * 1.3, sides)));
  if (act.jaw > 0.03 || act.upperLip > 0.04) {
    const opening = Math.max(top - v, v - bottom, sides + 0.02);
    p.mark(0.07, p.cover(opening));
    const bared = act.corner < 0 && act.jaw < 0.14;
    const teeth = act.stretch <= -0.1 ? top + 0.03 : bared ? bottom - 0.02 : top + 0.09;
    p.mark(0.3 + 0.6 * unit(p.shade), 0.9 * p.cover(Math.max(opening, v - teeth)));
  }
  p.mark(skin * 0.25, 0.85 * glow(v - middle, 0.035 + 0.01 * round) * unit(1 - act.jaw * 12) * p.cover(sides));
  p.mark(skin * 0.35, 0.5 * glow(length(sides, v - middle), 0.06));
}

/** Hair over the forehead. */
function hair(p: Pixel, face: Sketch): void {
  if (face.volume === 0 || p.y > 0) return;
  const aside = p.u - face.parting * 0.4;
  p.mark(hairTone(p, face), p.cover(p.y - face.hairline - 0.35 * aside * aside));
}

function hairTone(p: Pixel, face: Sketch): number {
  return face.hair * (0.83 + 0.33 * unit(0.5 - p.x * face.lightX));
}
