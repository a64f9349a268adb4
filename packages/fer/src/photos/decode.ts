// Decodes image files with sharp (Node only).
import { statSync } from 'node:fs';
import { FormatError } from '@mien/nn';
import { FileError, readFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import sharp, { type Metadata } from 'sharp';
import type { Photo } from './photo.ts';

/** Larger photos are scaled down to this longest side: the networks' inputs need no more pixels. */
const MAX_SIDE = 2048;
/** Minimum side of a photo: half the side of a face crop. */
const MIN_SIDE = 24;
/** Browsers show a frame of an animation for 100 ms if its delay is at most this (milliseconds). */
const MIN_DELAY = 10;
/** Maximum number of pixels to decode (1 GB): more than any camera has, but a small file may claim more. */
const MAX_PIXELS = 2 ** 28;
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif'];

/** A decoded photo, scaled down if it was larger than 2048 pixels. */
export interface Decoded {
  readonly photo: Photo;
  /** Size in the file after EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/** The bytes of a photo's file. Throws FileError for a missing file or a folder, FormatError for an empty file. */
export function readPhotoFile(path: string): Uint8Array {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new FileError(`${path}: no such file`);
  if (stats.isDirectory()) throw new FileError(`${path}: is a folder; pass its photos, such as ${path}/*.jpg`);
  if (stats.size === 0) throw new FormatError(`${path}: the file is empty`);
  return readFile(path);
}

/**
 * A photo as a viewer shows it: with its EXIF orientation applied, in sRGB according to its color profile, transparency on
 * white, in 8 bits. Throws FormatError for bytes that are not a complete photo in a supported format, and ValueError for
 * a photo that is too small, too large or an animation; both name `name`.
 */
export async function decodePhoto(bytes: Uint8Array, name: string): Promise<Decoded> {
  const metadata = await readMetadata(bytes, name);
  const { width, height } = metadata.autoOrient;
  if ((metadata.pages ?? 1) > 1 && metadata.format !== 'tiff' && metadata.format !== 'heif') {
    throw new ValueError(`${name}: expected a photo, got an animation of ${metadata.pages} frames; use mien video`);
  }
  if (Math.min(width, height) < MIN_SIDE) {
    throw new ValueError(`${name}: expected at least ${MIN_SIDE}x${MIN_SIDE} pixels, got ${width}x${height}`);
  }
  return { photo: await decode(bytes, name, {}), width, height };
}

/** The frames of an animation, decoded as in `decodePhoto`, with their times in seconds; a still image has one frame. */
export async function* decodeFrames(
  bytes: Uint8Array,
  name: string,
): AsyncGenerator<Decoded & { readonly seconds: number; readonly count: number }> {
  const { pages = 1, delay = [], autoOrient, pageHeight } = await readMetadata(bytes, name);
  const [width, height] = [autoOrient.width, pageHeight ?? autoOrient.height];
  let milliseconds = 0;
  for (let page = 0; page < pages; page++) {
    const photo = await decode(bytes, name, { page });
    yield { photo, width, height, seconds: milliseconds / 1000, count: pages };
    const duration = delay[page] ?? 0;
    milliseconds += duration <= MIN_DELAY ? 100 : duration;
  }
}

async function readMetadata(bytes: Uint8Array, name: string): Promise<Metadata> {
  const metadata = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => null);
  if (!metadata || !FORMATS.includes(metadata.format)) {
    throw new FormatError(
      `${name}: expected JPEG, PNG, WebP, GIF, TIFF or AVIF, got ${metadata ? metadata.format : 'an unknown format'}`,
    );
  }
  if (metadata.width * metadata.height > MAX_PIXELS) {
    throw new ValueError(
      `${name}: expected at most ${MAX_PIXELS.toLocaleString('en')} pixels, got ${metadata.width}x${metadata.height}; scale the photo down`,
    );
  }
  return metadata;
}

async function decode(bytes: Uint8Array, name: string, options: { readonly page?: number }): Promise<Photo> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, ...options })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: 'inside', withoutEnlargement: true })
      .toColorspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (reason) {
    const message = reason instanceof Error ? reason.message.trim().split('\n')[0] : reason;
    throw new FormatError(`${name}: damaged or truncated (${message})`, { cause: reason });
  }
}
