// Reads the frames of a video: a folder of photos, an animation that sharp decodes, or a file that ffmpeg decodes (Node only).
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import { MienError, ValueError } from '@mien/tensor';
import { isSystemName } from '../datasets/readers/hiddenFiles.ts';
import { type Decoded, decodeFrames, decodePhoto, readPhotoFile } from './decode.ts';

const PHOTOS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.avif', '.gif'];
/** Default frames per second: a folder's, as most cameras record, and those sampled from a video file. */
const RATES = { folder: 25, file: 10 } as const;

export interface Frame {
  /** The frame, or the reason why it cannot be decoded. */
  readonly decoded: Decoded | MienError;
  /** Its time. */
  readonly seconds: number;
  /** Number of frames in all; null if unknown. */
  readonly count: number | null;
}

/**
 * The frames of `path`: a folder's photos sorted by name (numbers by value) at `rate` frames per second; a GIF or WebP at
 * the times stored in it; another file through ffmpeg at `rate` frames per second. Throws FileError or FormatError.
 */
export function readFrames(path: string, rate?: number): AsyncGenerator<Frame> {
  if (rate !== undefined && !(rate > 0 && Number.isFinite(rate)))
    throw new ValueError(`video: expected a positive number of frames per second, got ${rate}`);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new FileError(`${path}: no such file or folder`);
  if (stats.isDirectory()) return framesOfFolder(path, rate ?? RATES.folder);
  if (stats.size === 0) throw new FormatError(`${path}: the file is empty`);
  return isAnimation(path) ? framesOfAnimation(path) : framesOfVideo(path, rate ?? RATES.file);
}

async function* framesOfFolder(path: string, rate: number): AsyncGenerator<Frame> {
  const names = readdirSync(path)
    .filter((name) => PHOTOS.includes(extname(name).toLowerCase()) && !isSystemName(name))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  if (names.length === 0) throw new FileError(`${path}: expected a folder of ${PHOTOS.join(', ')} files, got none`);
  for (const [i, name] of names.entries()) {
    const file = join(path, name);
    const decoded = await decodeFile(file).catch((reason) => {
      if (reason instanceof MienError) return reason;
      throw reason;
    });
    yield { decoded, seconds: i / rate, count: names.length };
  }
}

async function decodeFile(file: string): Promise<Decoded> {
  return decodePhoto(readPhotoFile(file), file);
}

async function* framesOfAnimation(path: string): AsyncGenerator<Frame> {
  for await (const { seconds, count, ...decoded } of decodeFrames(readPhotoFile(path), path)) {
    yield { decoded, seconds, count };
  }
}

/** Whether the file is a GIF or a WebP, by its first bytes. */
function isAnimation(path: string): boolean {
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  readSync(file, head, 0, 12, 0);
  closeSync(file);
  const text = head.toString('latin1');
  return text.startsWith('GIF8') || (text.startsWith('RIFF') && text.endsWith('WEBP'));
}

/** Reads ffmpeg's output as concatenated PPM images, since each image's header states its size. */
async function* framesOfVideo(path: string, rate: number): AsyncGenerator<Frame> {
  const input = ['-v', 'error', '-nostdin', '-i', `file:${resolve(path)}`, '-an', '-sn'];
  const scale = "scale=w='min(1280,iw)':h=-2";
  const child = spawn('ffmpeg', [...input, '-vf', `fps=${rate},${scale}`, '-c:v', 'ppm', '-f', 'image2pipe', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let messages = '';
  child.stderr.on('data', (text) => {
    messages += text;
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', (cause) => {
      reject(
        new FileError(
          `${path}: videos other than animated GIF and WebP need ffmpeg, which cannot be started (${cause.message}); install it, or pass a folder of frames`,
          { cause },
        ),
      );
    });
  });
  exit.catch(() => {});
  try {
    let i = 0;
    for await (const decoded of pictures(child.stdout)) yield { decoded, seconds: i++ / rate, count: null };
    const code = await exit;
    if (code === 0 && i > 0) return;
    const reason = messages.trim().split('\n').at(-1) || `exit code ${code} after ${i} frames`;
    throw new FormatError(`${path}: ffmpeg cannot decode the file (${reason})`);
  } finally {
    child.kill();
  }
}

/** The images of a stream of concatenated binary PPM files. */
async function* pictures(stream: AsyncIterable<Buffer>): AsyncGenerator<Decoded> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.subarray(0, 40).toString('latin1'));
      if (!header) break;
      const [width, height] = [Number(header[1]), Number(header[2])];
      const [start, end] = [header[0].length, header[0].length + width * height * 3];
      if (bytes.length < end) break;
      yield { photo: { width, height, data: new Uint8Array(bytes.subarray(start, end)) }, width, height };
      bytes = bytes.subarray(end);
    }
  }
}
