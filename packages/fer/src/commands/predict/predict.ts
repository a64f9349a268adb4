// Predicts the expressions of the faces in photos (Node only).

import { basename, extname, join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { init, MienError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { blazeFaceWeights } from '../../blazeface.ts';
import { BlazeFace } from '../../detection/blazeFace.ts';
import type { Box } from '../../detection/boxes.ts';
import type { Detection } from '../../detection/detect.ts';
import { png } from '../../figures/lettering.ts';
import type { ModelName } from '../../models/catalog.ts';
import { decodePhoto, readPhotoFile } from '../../photos/decode.ts';
import { ExpressionReader, type FaceReading, type Reading } from '../../prediction.ts';
import { makeFolder, readWeights } from '../../runs/folder.ts';
import { predictionFigure } from './figure.ts';

/** Options of everything that reads faces in photos. */
export interface ReaderOptions {
  /** `small` or `nano` (shipped with the package), a checkpoint file, or a run folder (its last checkpoint). Default `small`. */
  readonly weights?: string;
  /** Whether to detect faces; without, each photo is taken as one face, as the reference does. Default true. */
  readonly detect?: boolean;
  readonly adapter?: string;
}

export const readerOptions = { weights: true, detect: true, adapter: true } as const;

/** Options of `predict`. */
export interface PredictOptions extends ReaderOptions {
  /** A folder for a figure per photo. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  /** Called after each photo. */
  readonly onPhoto?: (report: PhotoReport) => void;
}

const predictOptions = optionNames<PredictOptions>({ ...readerOptions, out: true, signal: true, onPhoto: true });
const predictPhotoOptions = optionNames<ReaderOptions>(readerOptions);

/** A face, with boxes and landmarks in pixels of the upright photo. */
export interface PhotoFace extends Reading {
  readonly box: Box;
  readonly score: number | null;
  readonly landmarks: Detection['landmarks'] | null;
  readonly crop: Box;
}

/** The faces of one photo, or the reason why it could not be read. */
export interface PhotoReport {
  readonly photo: string;
  readonly width?: number;
  readonly height?: number;
  readonly faces?: readonly PhotoFace[];
  readonly figure?: string;
  readonly error?: string;
}

/** The result of `predict`. */
export interface PredictReport {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly classes: readonly string[];
  readonly photos: readonly PhotoReport[];
}

/** A reader with the adapter, file and network that it uses; the caller disposes of `reader`. */
export interface OpenReader {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly reader: ExpressionReader;
}

/** Initializes the device, the network and the detector. */
export async function openReader({ weights = 'small', detect = true, adapter }: ReaderOptions): Promise<OpenReader> {
  const { file, ...checkpoint } = await readWeights(weights);
  const { facts } = await init(adapter === undefined ? {} : { adapter });
  const detector = detect ? BlazeFace.from(blazeFaceWeights) : null;
  return {
    adapter: facts.name,
    weights: file,
    model: checkpoint.name,
    reader: new ExpressionReader(checkpoint, detector),
  };
}

/** Predicts the expressions in photos (file names). A photo that cannot be read has the reason as its `error`. */
export async function predict(photos: readonly string[], options: PredictOptions): Promise<PredictReport> {
  expectOptions('predict', options, predictOptions);
  const { out, signal, onPhoto = () => {} } = options;
  const { reader, ...facts } = await openReader(options);
  if (out !== undefined) makeFolder(out);
  const taken = new Set<string>();
  const reports: PhotoReport[] = [];
  try {
    for (const photo of photos) {
      signal?.throwIfAborted();
      const picture = out === undefined ? null : join(out, figureName(photo, taken));
      const report = await readOne(reader, photo, picture, facts.model).catch((reason): PhotoReport => {
        if (!(reason instanceof MienError) || reason === signal?.reason) throw reason;
        return { photo, error: reason.message };
      });
      reports.push(report);
      onPhoto(report);
    }
  } finally {
    reader.dispose();
  }
  return { ...facts, classes: reader.classes, photos: reports };
}

/** Predicts the expressions in one photo: a file name, or the bytes of a file. Throws FileError, FormatError or ValueError. */
export async function predictPhoto(photo: string | Uint8Array, options: ReaderOptions): Promise<readonly PhotoFace[]> {
  expectOptions('predictPhoto', options, predictPhotoOptions);
  const { reader } = await openReader(options);
  try {
    const bytes = typeof photo === 'string' ? readPhotoFile(photo) : photo;
    const decoded = await decodePhoto(bytes, typeof photo === 'string' ? photo : 'the photo');
    const faces = await reader.read(decoded.photo);
    return faces.map((face) => inFile(face, decoded.width / decoded.photo.width));
  } finally {
    reader.dispose();
  }
}

async function readOne(
  reader: ExpressionReader,
  name: string,
  picture: string | null,
  model: string,
): Promise<PhotoReport> {
  const { photo, width, height } = await decodePhoto(readPhotoFile(name), name);
  const faces = await reader.read(photo);
  if (picture !== null) {
    const note = `network: ${model}, on the outlined squares; predicts the expression that a face shows, not what the person feels`;
    writeFile(picture, png(await predictionFigure(photo, faces, basename(name), note)));
  }
  const scale = width / photo.width;
  return {
    photo: name,
    width,
    height,
    faces: faces.map((face) => inFile(face, scale)),
    ...(picture === null ? {} : { figure: picture }),
  };
}

/** A face in pixels of the photo's file, without the crop that only figures need. */
export function inFile({ seen: _, box, crop, landmarks, ...rest }: FaceReading, scale: number): PhotoFace {
  const part = (value: number): number => Math.round(10 * scale * value) / 10;
  const scaled = ({ left, top, width, height }: Box): Box => ({
    left: part(left),
    top: part(top),
    width: part(width),
    height: part(height),
  });
  const places = landmarks && Object.entries(landmarks).map(([name, [x, y]]) => [name, [part(x), part(y)]] as const);
  return {
    ...rest,
    box: scaled(box),
    crop: scaled(crop),
    landmarks: places && (Object.fromEntries(places) as Detection['landmarks']),
  };
}

/** The photo's name with the extension .png, and a number where an earlier photo has the same name. */
export function figureName(photo: string, taken: Set<string>): string {
  const stem = basename(photo, extname(photo));
  let name = `${stem}.png`;
  for (let n = 2; taken.has(name); n++) name = `${stem}-${n}.png`;
  taken.add(name);
  return name;
}
