// Files to photos, by sharp (Node only).
import { statSync } from 'node:fs';
import { FormatError } from '@mien/nn';
import { FileError, readFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import sharp, { type Metadata } from 'sharp';
import type { Photo } from './photo.ts';

/** Longest side that is kept: more pixels would change nothing of what the networks see. */
const LONGEST = 2048;
/** Shortest side of a photo: half of what the network sees of a face. */
const SHORTEST = 24;
/** Milliseconds up to which browsers take the delay of an animation's frame for missing and show the frame for 100 ms. */
const SHORTEST_DELAY = 10;
/** Most pixels that are decoded, a gigabyte of memory: no camera makes more, a file of a few bytes may claim more. */
const MOST_PIXELS = 2 ** 28;
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif'];

/** A decoded photo, perhaps smaller than it is in its file. */
export interface Decoded {
  readonly photo: Photo;
  /** Size in the file, upright. */
  readonly width: number;
  readonly height: number;
}

/** The bytes of a photo's file. Throws FileError or FormatError with one plain line for what is none. */
export function readPhotoFile(path: string): Uint8Array {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts) throw new FileError(`${path}: no such file`);
  if (facts.isDirectory()) throw new FileError(`${path}: is a folder; name the photos in it, as ${path}/*.jpg`);
  if (facts.size === 0) throw new FormatError(`${path}: the file is empty`);
  return readFile(path);
}

/**
 * A photo as a viewer shows it: upright by its EXIF orientation, in sRGB by its color profile, transparent parts on white,
 * from any depth to 8 bits. Throws FormatError, naming `name`, where the bytes are no whole photo of a known format, and
 * ValueError for one that is too small, too large or an animation.
 */
export async function decodePhoto(bytes: Uint8Array, name: string): Promise<Decoded> {
  const facts = await factsOf(bytes, name);
  const { width, height } = facts.autoOrient;
  if ((facts.pages ?? 1) > 1 && facts.format !== 'tiff' && facts.format !== 'heif') {
    throw new ValueError(`${name}: an animation of ${facts.pages} frames; mien video reads it`);
  }
  if (Math.min(width, height) < SHORTEST) {
    throw new ValueError(`${name}: ${width}x${height} pixels hold no face; at least ${SHORTEST} each way are needed`);
  }
  return { photo: await decode(bytes, name, {}), width, height };
}

/** Frames of an animation, as `decodePhoto` gives a photo; one of a still picture. `seconds` is when each is shown. */
export async function* decodeFrames(
  bytes: Uint8Array,
  name: string,
): AsyncGenerator<Decoded & { readonly seconds: number; readonly count: number }> {
  const { pages = 1, delay = [], autoOrient, pageHeight } = await factsOf(bytes, name);
  const [width, height] = [autoOrient.width, pageHeight ?? autoOrient.height];
  let milliseconds = 0;
  for (let page = 0; page < pages; page++) {
    const photo = await decode(bytes, name, { page });
    yield { photo, width, height, seconds: milliseconds / 1000, count: pages };
    const shown = delay[page] ?? 0;
    milliseconds += shown <= SHORTEST_DELAY ? 100 : shown;
  }
}

async function factsOf(bytes: Uint8Array, name: string): Promise<Metadata> {
  const facts = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => null);
  if (!facts || !FORMATS.includes(facts.format)) {
    throw new FormatError(
      `${name}: ${facts ? `a file of ${facts.format} is no photo` : 'no photo'}; give JPEG, PNG, WebP, GIF, TIFF or AVIF`,
    );
  }
  if (facts.width * facts.height > MOST_PIXELS) {
    throw new ValueError(
      `${name}: ${facts.width}x${facts.height} pixels, at most ${MOST_PIXELS.toLocaleString('en')} are decoded; make it smaller`,
    );
  }
  return facts;
}

async function decode(bytes: Uint8Array, name: string, options: { readonly page?: number }): Promise<Photo> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MOST_PIXELS, ...options })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize({ width: LONGEST, height: LONGEST, fit: 'inside', withoutEnlargement: true })
      .toColorspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (reason) {
    const words = reason instanceof Error ? reason.message.trim().split('\n')[0] : reason;
    throw new FormatError(`${name}: damaged or cut short (${words})`, { cause: reason });
  }
}
