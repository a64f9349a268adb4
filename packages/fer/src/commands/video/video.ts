// The expressions of the faces in a video over time (Node only).

import { basename, join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { MienError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import Papa from 'papaparse';
import { FaceTracker } from '../../detection/tracks.ts';
import { png } from '../../figures/lettering.ts';
import { readFrames } from '../../photos/frames.ts';
import { readingOf } from '../../prediction.ts';
import { round } from '../../runs/accuracy.ts';
import { makeFolder } from '../../runs/folder.ts';
import { smooth } from '../../timeline.ts';
import { inFile, openReader, type PhotoFace, type ReaderOptions, readerOptions } from '../predict/predict.ts';
import { timeline } from './figure.ts';
import type { VideoMoment, VideoReport } from './report.ts';

/** Options of `video`. */
export interface VideoOptions extends ReaderOptions {
  /** Frames per second: those of a folder (default 25), or those sampled from a video file (default 10). */
  readonly rate?: number;
  /** Standard deviation, in seconds, of the Gaussian that smooths the probabilities; 0 for none. Default 0.3. */
  readonly smoothing?: number;
  /** A folder for scores.csv, scores.json and timeline.png. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  /** Called after each frame; `total` is null where the number of frames is unknown. */
  readonly onFrame?: (done: number, total: number | null) => void;
}

const videoOptions = optionNames<VideoOptions>({
  ...readerOptions,
  rate: true,
  smoothing: true,
  out: true,
  signal: true,
  onFrame: true,
});

type Seen = Pick<PhotoFace, 'box' | 'score'> & { frame: number; seconds: number; raw: PhotoFace['probabilities'] };

/** Predicts the expressions of the faces in every frame and tracks them. Throws FileError or FormatError without frames. */
export async function video(path: string, options: VideoOptions): Promise<VideoReport> {
  expectOptions('video', options, videoOptions);
  const { rate, smoothing = 0.3, out, signal, onFrame = () => {} } = options;
  smooth([], smoothing);
  const frames = readFrames(path, rate);
  const { reader, ...facts } = await openReader(options);
  const tracker = new FaceTracker();
  const tracks = new Map<number, Seen[]>();
  const errors: string[] = [];
  let [count, last] = [0, 0];
  try {
    if (out !== undefined) makeFolder(out);
    for await (const { decoded, seconds, count: all } of frames) {
      signal?.throwIfAborted();
      last = seconds;
      if (decoded instanceof MienError) errors.push(decoded.message);
      else {
        const scale = decoded.width / decoded.photo.width;
        const found = (await reader.read(decoded.photo)).map((face) => inFile(face, scale));
        const ids = tracker.next(
          found.map(({ box }) => box),
          seconds,
        );
        for (const [i, { box, score, probabilities }] of found.entries()) {
          const id = ids[i] as number;
          const seen = { frame: count, seconds: round(seconds, 4), box, score, raw: probabilities };
          tracks.set(id, [...(tracks.get(id) ?? []), seen]);
        }
      }
      onFrame(++count, all);
    }
  } finally {
    reader.dispose();
  }
  const { classes, margin } = reader;
  const faces = Array.from(tracks, ([face, seen]) => ({ face, moments: smoothed(seen, classes, margin, smoothing) }));
  const report = { ...facts, video: path, classes, frames: count, seconds: last, smoothing, faces, errors };
  if (out !== undefined) {
    writeFile(join(out, 'scores.csv'), table(report));
    writeFile(join(out, 'scores.json'), JSON.stringify(report));
    writeFile(join(out, 'timeline.png'), png(timeline(report, basename(path))));
  }
  return report;
}

function smoothed(seen: readonly Seen[], classes: readonly string[], margin: number, deviation: number): VideoMoment[] {
  const moments = seen.map(({ seconds, raw }) => ({ seconds, shares: classes.map((name) => raw[name] as number) }));
  return smooth(moments, deviation).map((shares, i) => {
    const { expression, unsure, probabilities } = readingOf(classes, shares, margin);
    const { frame, seconds, box, score, raw } = seen[i] as Seen;
    return { frame, seconds, box, score, expression, unsure, probabilities, raw };
  });
}

/** A CSV with a line per face and frame, in the order of frames; a class has a smoothed column and `<class> raw`. */
function table({ faces, classes }: VideoReport): string {
  const rows = faces
    .flatMap(({ face, moments }) => moments.map((moment) => ({ face, ...moment })))
    .sort((a, b) => a.frame - b.frame || a.face - b.face)
    .map(({ face, frame, seconds, box, score, expression, unsure, probabilities, raw }) => ({
      frame,
      seconds,
      face,
      ...box,
      score: score === null ? '' : round(score, 4),
      expression,
      unsure,
      ...Object.fromEntries(classes.map((name) => [name, round(probabilities[name] as number, 4)])),
      ...Object.fromEntries(classes.map((name) => [`${name} raw`, round(raw[name] as number, 4)])),
    }));
  const facts = ['frame', 'seconds', 'face', 'left', 'top', 'width', 'height', 'score', 'expression', 'unsure'];
  const columns = [...facts, ...classes, ...classes.map((name) => `${name} raw`)];
  return `${Papa.unparse(rows, { columns, newline: '\n' }) || columns.join(',')}\n`;
}
