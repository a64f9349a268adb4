// Prediction: detects the faces of a photo and classifies ten crops of each. For browsers and Node.
import type { Layer } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { probabilities } from './calibration.ts';
import { PIXELS, SIDE } from './datasets/faces.ts';
import type { BlazeFace } from './detection/blazeFace.ts';
import type { Box } from './detection/boxes.ts';
import { cropOf, type Detection, detectFaces } from './detection/detect.ts';
import { logitsOf, meanLogits } from './evaluation.ts';
import { NETWORKS } from './models/catalog.ts';
import { grayBytes, type Photo, resample } from './photos/photo.ts';
import { type ReadCheckpoint, trainedNetwork } from './training/checkpoint.ts';
import { Cropper, type InputForm, TEN } from './transforms.ts';

/** The prediction for one face. */
export interface Reading {
  /** The most probable class. */
  readonly expression: string;
  readonly probability: number;
  /** Whether the two most probable classes are too close to choose between them. */
  readonly unsure: boolean;
  /** Probability of every class, in the network's order. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** A face of a photo and its prediction. */
export interface FaceReading extends Reading {
  /** The face's bounding box; the photo itself without a detector. */
  readonly box: Box;
  /** The detector's confidence, 0 to 1, and landmarks; null without a detector. */
  readonly score: number | null;
  readonly landmarks: Detection['landmarks'] | null;
  /** The area that the network classified; it may extend beyond the photo. */
  readonly crop: Box;
  /** The crop as 48x48 gray bytes. */
  readonly seen: Uint8Array;
}

/**
 * Default margin between the two largest probabilities. Measured with a `nano` of 52 % accuracy on FER2013's PublicTest:
 * its accuracy is 35 % below this margin, and one half just above it.
 */
const MARGIN = 0.2;

/** A trained network, with an optional face detector. Owns both. */
export class ExpressionReader {
  readonly classes: readonly string[];
  readonly network: Layer;
  readonly cropper: Cropper;
  /** Minimum difference between the two largest probabilities. */
  readonly margin: number;
  readonly #temperature: number;
  readonly #views: number;
  readonly #detector: BlazeFace | null;

  /**
   * Loads the network of a checkpoint, with averaged weights if it has them. Its note may contain `temperature`, which
   * divides the logits, and `margin`. Without a detector, each photo is taken as one face.
   */
  constructor(checkpoint: ReadCheckpoint, detector: BlazeFace | null) {
    const { name, config, info } = checkpoint;
    const { temperature = 1, margin = MARGIN } = calibration(info.extra);
    this.classes = info.classes;
    this.cropper = new Cropper(config.input);
    this.#temperature = temperature;
    this.margin = margin;
    this.#views = NETWORKS[name].views;
    this.#detector = detector;
    this.network = trainedNetwork(checkpoint);
  }

  /** The form of the network's input. */
  get input(): InputForm {
    return this.cropper.form;
  }

  /** Detects and classifies the faces of a photo, from left to right; empty without faces. */
  async read(photo: Photo): Promise<FaceReading[]> {
    const detections = this.#detector ? await detectFaces(this.#detector, photo) : null;
    const sorted = detections?.sort((a, b) => a.box.left - b.box.left) ?? [undetected(photo)];
    const faces = sorted.map((face) => {
      const crop = detections ? cropOf(face) : face.box;
      return { face, crop, seen: grayBytes(resample(photo, crop, SIDE, SIDE)) };
    });
    const images = new Uint8Array(faces.length * PIXELS);
    for (const [i, { seen }] of faces.entries()) images.set(seen, i * PIXELS);
    const readings = await this.readFaces(images);
    return faces.map(({ face, crop, seen }, i) => ({ ...face, crop, seen, ...(readings[i] as Reading) }));
  }

  /** Classifies `images` [N, 48, 48] by the mean logits of ten crops, divided by the temperature. */
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

  /** Frees the memory of the network and the detector. */
  dispose(): void {
    this.network.dispose();
    this.#detector?.dispose();
  }

  #reading(logits: readonly number[]): Reading {
    if (!logits.every(Number.isFinite))
      throw new ValueError(`predict: expected finite logits, got ${logits}; retrain the network`);
    return readingOf(this.classes, probabilities(logits, this.#temperature), this.margin);
  }
}

/** The prediction that follows from the probabilities `shares` of `classes`. */
export function readingOf(classes: readonly string[], shares: readonly number[], margin: number): Reading {
  const [first = 0, second = 0] = [...shares].sort((a, b) => b - a);
  return {
    expression: classes[shares.indexOf(first)] as string,
    probability: first,
    unsure: first - second < margin,
    probabilities: Object.fromEntries(classes.map((name, i) => [name, shares[i] as number])),
  };
}

function undetected({ width, height }: Photo): Pick<FaceReading, 'box' | 'score' | 'landmarks'> {
  return { box: { left: 0, top: 0, width, height }, score: null, landmarks: null };
}

/** The temperature and margin in a checkpoint's note. Throws ValueError for values out of range. */
function calibration(extra: unknown): { readonly temperature?: number; readonly margin?: number } {
  const note = (Object(extra) as { readonly note?: Record<string, unknown> }).note ?? {};
  const { temperature, margin } = note;
  if (temperature !== undefined && !(Number(temperature) > 0 && Number.isFinite(temperature)))
    throw new ValueError(`predict: expected a positive temperature in the checkpoint, got ${temperature}`);
  if (margin !== undefined && !(Number(margin) >= 0 && Number(margin) <= 1))
    throw new ValueError(`predict: expected a margin from 0 to 1 in the checkpoint, got ${margin}`);
  return note;
}
