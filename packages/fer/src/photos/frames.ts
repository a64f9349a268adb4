// Frames of a video: a folder of photos, an animation that sharp reads, or anything that ffmpeg reads (Node only).
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import { MienError, ValueError } from '@mien/tensor';
import { isSystemName } from '../datasets/hidden.ts';
import { type Decoded, decodeFrames, decodePhoto, readPhotoFile } from './decode.ts';

const PHOTOS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.avif', '.gif'];
/** Frames a second of a folder, as most cameras take them, and those that are read of a video file. */
const RATES = { folder: 25, file: 10 } as const;

/** A frame, when it is shown, and how many there are where that is known. `decoded` is why, where it cannot be read. */
export interface Frame {
  readonly decoded: Decoded | MienError;
  readonly seconds: number;
  readonly count: number | null;
}

/**
 * The frames of `path`, in order: of a folder its photos by name (numbers in them by value), `rate` a second; of a GIF or
 * WebP at its own times; of another file through ffmpeg, `rate` a second. Throws FileError or FormatError.
 */
export function readFrames(path: string, rate?: number): AsyncGenerator<Frame> {
  if (rate !== undefined && !(rate > 0 && Number.isFinite(rate)))
    throw new ValueError(`video: ${rate} frames a second, expected a number above 0`);
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts) throw new FileError(`${path}: no such file or folder`);
  if (facts.isDirectory()) return ofFolder(path, rate ?? RATES.folder);
  if (facts.size === 0) throw new FormatError(`${path}: the file is empty`);
  return isAnimation(path) ? ofAnimation(path) : ofVideo(path, rate ?? RATES.file);
}

async function* ofFolder(path: string, rate: number): AsyncGenerator<Frame> {
  const names = readdirSync(path)
    .filter((name) => PHOTOS.includes(extname(name).toLowerCase()) && !isSystemName(name))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  if (names.length === 0) throw new FileError(`${path}: no frames; a folder of ${PHOTOS.join(', ')} files is expected`);
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

async function* ofAnimation(path: string): AsyncGenerator<Frame> {
  for await (const { seconds, count, ...decoded } of decodeFrames(readPhotoFile(path), path)) {
    yield { decoded, seconds, count };
  }
}

/** Whether it is a GIF or a WebP, by its first bytes. */
function isAnimation(path: string): boolean {
  const head = Buffer.alloc(12);
  const file = openSync(path, 'r');
  readSync(file, head, 0, 12, 0);
  closeSync(file);
  const text = head.toString('latin1');
  return text.startsWith('GIF8') || (text.startsWith('RIFF') && text.endsWith('WEBP'));
}

/** Through ffmpeg, as pictures in PPM one after another: each says its size before its bytes. */
async function* ofVideo(path: string, rate: number): AsyncGenerator<Frame> {
  const input = ['-v', 'error', '-nostdin', '-i', `file:${resolve(path)}`, '-an', '-sn'];
  const scale = "scale=w='min(1280,iw)':h=-2";
  const child = spawn('ffmpeg', [...input, '-vf', `fps=${rate},${scale}`, '-c:v', 'ppm', '-f', 'image2pipe', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.on('close', done);
    child.on('error', (cause) => {
      fail(
        new FileError(
          `${path}: ffmpeg is needed for videos other than animated GIF and WebP, and cannot be started (${cause.message}); install it, or give a folder of frames`,
          { cause },
        ),
      );
    });
  });
  ended.catch(() => {});
  try {
    let i = 0;
    for await (const decoded of pictures(child.stdout)) yield { decoded, seconds: i++ / rate, count: null };
    const code = await ended;
    if (code === 0 && i > 0) return;
    const reason = said.trim().split('\n').at(-1) || `it ended with ${code} after ${i} frames`;
    throw new FormatError(`${path}: ffmpeg cannot read it (${reason})`);
  } finally {
    child.kill();
  }
}

/** The pictures of a stream of binary PPM files. */
async function* pictures(stream: AsyncIterable<Buffer>): AsyncGenerator<Decoded> {
  let bytes = Buffer.alloc(0);
  for await (const part of stream) {
    bytes = Buffer.concat([bytes, part]);
    for (;;) {
      const head = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.subarray(0, 40).toString('latin1'));
      if (!head) break;
      const [width, height] = [Number(head[1]), Number(head[2])];
      const [start, end] = [head[0].length, head[0].length + width * height * 3];
      if (bytes.length < end) break;
      yield { photo: { width, height, data: new Uint8Array(bytes.subarray(start, end)) }, width, height };
      bytes = bytes.subarray(end);
    }
  }
}
