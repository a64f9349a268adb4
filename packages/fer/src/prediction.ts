// From a photo to expressions: faces found and cut out, ten views of each through a network. For browsers and Node.
import type { Layer } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { probabilities } from './calibration.ts';
import { PIXELS, SIDE } from './datasets/faces.ts';
import type { BlazeFace } from './detection/blazeFace.ts';
import type { Box } from './detection/boxes.ts';
import { cropOf, type Detection, detectFaces } from './detection/detect.ts';
import { logitsOf, meanLogits } from './evaluation.ts';
import { viewsPerPass } from './models/catalog.ts';
import { grayBytes, type Photo, resample } from './photos/photo.ts';
import { type ReadCheckpoint, trainedNetwork } from './training/checkpoint.ts';
import { Cropper, type InputForm, TEN } from './transforms.ts';

/** What a network says of one face. */
export interface Reading {
  /** The most probable class. */
  readonly expression: string;
  readonly probability: number;
  /** Whether the second class is so close that neither should be believed. */
  readonly unsure: boolean;
  /** Of every class, in the network's order; they sum to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** A face of a photo with what the network says of it. */
export interface FaceReading extends Reading {
  /** The face; the whole photo where none was looked for. */
  readonly box: Box;
  /** How sure the detector is, 0 to 1, and its landmarks; null where it was not asked. */
  readonly score: number | null;
  readonly landmarks: Detection['landmarks'] | null;
  /** What was cut out for the network, which may reach beyond the photo. */
  readonly crop: Box;
  /** The same as 48x48 gray bytes. */
  readonly seen: Uint8Array;
}

/**
 * How far the first probability must be before the second where a checkpoint does not say. Measured with a `nano` that is
 * right on 52 % of FER2013's PublicTest: nearer than this it is right on 35 %, and just beyond it on half.
 */
const MARGIN = 0.2;

/** A trained network that reads faces, with a detector that finds them or without. Owns both. */
export class ExpressionReader {
  readonly classes: readonly string[];
  readonly network: Layer;
  readonly cropper: Cropper;
  /** How far the first probability must be before the second. */
  readonly margin: number;
  readonly #temperature: number;
  readonly #views: number;
  readonly #detector: BlazeFace | null;

  /**
   * The network of a checkpoint, averaged weights where it holds them. Its note may hold `temperature`, by which logits are
   * divided, and `margin`. Without a detector, photos are taken as a face whole.
   */
  constructor(checkpoint: ReadCheckpoint, detector: BlazeFace | null) {
    const { name, protocol, info } = checkpoint;
    const { temperature = 1, margin = MARGIN } = calibration(info.extra);
    this.classes = info.classes;
    this.cropper = new Cropper(protocol.input);
    this.#temperature = temperature;
    this.margin = margin;
    this.#views = viewsPerPass(name);
    this.#detector = detector;
    this.network = trainedNetwork(checkpoint);
  }

  /** How the network's input is made of 48x48 bytes. */
  get input(): InputForm {
    return this.cropper.form;
  }

  /** The faces of a photo, from left to right; none is a result, too. */
  async read(photo: Photo): Promise<FaceReading[]> {
    const found = this.#detector ? await detectFaces(this.#detector, photo) : null;
    const sorted = found?.sort((a, b) => a.box.left - b.box.left) ?? [wholeOf(photo)];
    const faces = sorted.map((face) => {
      const crop = found ? cropOf(face) : face.box;
      return { face, crop, seen: grayBytes(resample(photo, crop, SIDE, SIDE)) };
    });
    const images = new Uint8Array(faces.length * PIXELS);
    for (const [i, { seen }] of faces.entries()) images.set(seen, i * PIXELS);
    const readings = await this.readFaces(images);
    return faces.map(({ face, crop, seen }, i) => ({ ...face, crop, seen, ...(readings[i] as Reading) }));
  }

  /** Reads 48x48 gray images, one after another in `images`: logits of ten views, averaged, over the temperature. */
  async readFaces(images: Uint8Array): Promise<Reading[]> {
    const perPass = Math.max(1, Math.floor(this.#views / TEN));
    const readings: Reading[] = [];
    for (let start = 0; start < images.length / PIXELS; start += perPass) {
      const count = Math.min(perPass, images.length / PIXELS - start);
      const views = Array.from({ length: count }, (_, i) => this.cropper.ten(start + i)).flat();
      const logits = await logitsOf(this.network, this.cropper, images, views);
      for (let i = 0; i < count; i++)
        readings.push(this.#reading(meanLogits(logits, i * TEN, TEN, this.classes.length)));
    }
    return readings;
  }

  /** Gives back the memory of network and detector. */
  dispose(): void {
    this.network.dispose();
    this.#detector?.dispose();
  }

  #reading(logits: readonly number[]): Reading {
    if (!logits.every(Number.isFinite)) throw new ValueError(`predict: the network gives ${logits}; train it anew`);
    return readingOf(this.classes, probabilities(logits, this.#temperature), this.margin);
  }
}

/** What probabilities mean. */
export function readingOf(classes: readonly string[], shares: readonly number[], margin: number): Reading {
  const [first = 0, second = 0] = [...shares].sort((a, b) => b - a);
  return {
    expression: classes[shares.indexOf(first)] as string,
    probability: first,
    unsure: first - second < margin,
    probabilities: Object.fromEntries(classes.map((name, i) => [name, shares[i] as number])),
  };
}

function wholeOf({ width, height }: Photo): Pick<FaceReading, 'box' | 'score' | 'landmarks'> {
  return { box: { left: 0, top: 0, width, height }, score: null, landmarks: null };
}

/** What a checkpoint's note says of probabilities. Throws ValueError for what cannot be. */
function calibration(extra: unknown): { readonly temperature?: number; readonly margin?: number } {
  const note = (Object(extra) as { readonly note?: Record<string, unknown> }).note ?? {};
  const { temperature, margin } = note;
  if (temperature !== undefined && !(Number(temperature) > 0 && Number.isFinite(temperature)))
    throw new ValueError(`predict: the checkpoint's temperature is ${temperature}, expected a number above 0`);
  if (margin !== undefined && !(Number(margin) >= 0 && Number(margin) <= 1))
    throw new ValueError(`predict: the checkpoint's margin is ${margin}, expected 0 to 1`);
  return note;
}
