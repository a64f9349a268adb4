// `mien profile`.
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { ADAPTER, integer, MODEL, required, text } from '../../cli/options.ts';
import { aligned } from '../../cli/table.ts';
import { share } from '../../runs/accuracy.ts';
import { profileTraining } from './profile.ts';
import { milliseconds, nameOf, type ProfileReport } from './report.ts';

/** `mien profile`. */
export const profileCommand: CommandDefinition = defineCommand({
  name: 'profile',
  summary: 'Measures the time of a training step by kernel, on random images.',
  options: {
    model: required(MODEL),
    batchSize: integer('<n>', 'images per step (default: as on FER2013)'),
    out: text('<folder>', 'write profile.json, trace.json (for chrome://tracing) and profile.png'),
    adapter: ADAPTER,
  },
  run: async ({ options }) => {
    const report = await profileTraining(options);
    return { report, text: profileText(report) };
  },
});

/** A profile, with a line per kernel. */
function profileText(report: ProfileReport): string {
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
    `adapter: ${adapter}; peak ${giga(peak.flops, 1)} GFLOP/s in registers, ${giga(peak.bytes, 1)} GB/s in a copy kernel`,
    `${model}, ${batchSize} images: a training step takes ${milliseconds(stepSeconds)}, of which JavaScript ${milliseconds(hostSeconds)} (${share(hostSeconds / stepSeconds)}), in ${submits} submits`,
    `all kernels: ${milliseconds(kernelSeconds)}, ${stamps ? 'by timestamps of the device' : 'by the clock of the host, each with a submit and a wait'}`,
    ...aligned([head, ...table]),
    '',
  ].join('\n');
}
