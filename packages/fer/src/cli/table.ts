// What commands print at their end.
import { relative } from 'node:path';
import type { Tuned, TunedAdapter } from '@mien/tensor';
import { milliseconds, nameOf } from '../commands/profile/figure.ts';
import type { ProfileReport } from '../commands/profile/profile.ts';
import type { TuneReport } from '../commands/tune/tune.ts';
import { share, viewsText } from '../runs/accuracy.ts';
import type { Summary } from '../runs/events.ts';

/** The end of a training run, in a few lines. */
export function reportRun(out: string, summary: Summary): string {
  const folder = relative(process.cwd(), out) || out;
  const lines: string[] = [];
  if (summary.testAccuracy !== null) {
    const tested = summary.dataset === 'ck+' ? `fold ${summary.fold}` : 'PublicTest';
    lines.push(
      `test accuracy ${share(summary.testAccuracy)}${range(summary.testAccuracyInterval)}, ten-crop on ${summary.testImages} images (${tested}), last epoch`,
    );
    lines.push(
      `best epoch ${(summary.bestEpoch ?? 0) + 1} of ${summary.epochs}: ${share(summary.bestTestAccuracy)} (${viewsText(summary.protocol.crops)}; chosen on the same images of ${summary.selectedOn}, so optimiztic)`,
    );
  } else
    lines.push(`stopped in epoch ${summary.epochs + 1} after ${summary.steps} steps; go on with --resume ${folder}`);
  if (summary.privateTestAccuracy !== undefined) {
    lines.push(
      `PrivateTest accuracy ${share(summary.privateTestAccuracy)}${range(summary.privateTestAccuracyInterval ?? null)}, ten-crop, last epoch`,
    );
  }
  lines.push(
    `${summary.trainSeconds.toFixed(1)} s, ${summary.imagesPerSecond.toFixed(1)} images/s, written to ${folder}`,
  );
  return `${lines.join('\n')}\n`;
}

/** A profile, with a line a kernel. */
export function reportProfile(report: ProfileReport): string {
  const { adapter, model, batchSize, stepSeconds, hostSeconds, submits, kernelSeconds, stamps, peak, rows } = report;
  const giga = (amount: number | null, seconds: number): string =>
    amount === null || seconds === 0 ? '' : (amount / seconds / 1e9).toFixed(2);
  const table = rows.map(({ kernel, work, calls, seconds, share: part, flops, bytes, ofPeak }) => [
    String(calls),
    (1000 * seconds).toFixed(2),
    (100 * part).toFixed(1),
    giga(flops, seconds),
    giga(bytes, seconds),
    ofPeak === null ? '' : (100 * ofPeak).toFixed(0),
    nameOf({ kernel, work }),
  ]);
  const head = ['calls', 'ms', '%', 'GFLOP/s', 'GB/s', '% of peak', 'kernel'];
  return [
    `adapter: ${adapter}; at most ${giga(peak.flops, 1)} GFLOP/s in registers, ${giga(peak.bytes, 1)} GB/s in a copy kernel`,
    `${model}, ${batchSize} images: a training step takes ${milliseconds(stepSeconds)}, JavaScript ${milliseconds(hostSeconds)} of it (${share(hostSeconds / stepSeconds)}), in ${submits} submits`,
    `kernels one by one: ${milliseconds(kernelSeconds)}, ${stamps ? 'by timestamps of the device' : 'by the clock of the host, each with a submit and a wait'}`,
    ...aligned([head, ...table]),
    '',
  ].join('\n');
}

/** What tuning found, with a line an operation and shape. */
export function reportTuning({ adapter, model, batchSize, seconds, ratio, results }: TuneReport): string {
  const known = results.filter((result) => result.known).length;
  return [
    `adapter: ${adapter}`,
    `${model}, ${batchSize} images: ${results.length} operations and shapes, ${known} of them known before, in ${seconds.toFixed(0)} s`,
    `all that a step does of them: the fixed choices take ${ratio.toFixed(2)} times as long as the tuned ones`,
    ...tunings(results),
    'calls are those of the step itself; MIEN_TUNE=on follows the tuned ways',
    '',
  ].join('\n');
}

/** All that is kept, adapter by adapter. */
export function reportKept(kept: readonly TunedAdapter[]): string {
  if (kept.length === 0) return 'nothing is kept; mien tune --model NAME tunes a training step\n';
  return kept.flatMap(({ adapter, entries }) => [`adapter: ${adapter}`, ...tunings(entries), '']).join('\n');
}

function tunings(results: readonly (Tuned & { readonly calls?: number })[]): string[] {
  const table = results.map(({ calls, operation, shape, way, seconds, fixed, fixedSeconds }) => [
    ...(calls === undefined ? [] : [String(calls)]),
    (1000 * seconds).toFixed(2),
    (1000 * fixedSeconds).toFixed(2),
    (fixedSeconds / seconds).toFixed(2),
    way,
    way === fixed ? '' : fixed,
    `${operation} ${shape}`,
  ]);
  const head = ['ms', 'fixed ms', 'ratio', 'way', 'fixed way', 'operation and shape'];
  return aligned([results.some(({ calls }) => calls !== undefined) ? ['calls', ...head] : head, ...table]);
}

/** Text in lines of at most `width` letters. */
export function wrapped(text: string, width = 100): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Lines of cells in columns, all but the last flush right. */
export function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line.map((cell, i) => (i === line.length - 1 ? cell : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

function range(interval: readonly [number, number] | null): string {
  return interval ? ` (95 % interval ${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)})` : '';
}
