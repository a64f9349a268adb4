// `mien tune`: times the algorithms of a training step's operations on this adapter (Node only).

import { deleteTuned, init, listTuned, type Tuned, type TunedAdapter, type TuneResult } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { type CommandDefinition, defineCommand, UsageError } from '../cli/defineCommand.ts';
import { ADAPTER, conflicting, flag, integer, MODEL } from '../cli/options.ts';
import { aligned } from '../cli/table.ts';
import { FER2013 } from '../datasets/fer2013.ts';
import { MODELS, type ModelName } from '../models/catalog.ts';
import { tuneStep } from '../runs/tuneStep.ts';
import { trainingConfig } from '../training/presets.ts';

/** Options of `tuneTraining`. */
export interface TuneTrainingOptions {
  readonly model: ModelName;
  /** Images per step. Default: as on FER2013. */
  readonly batchSize?: number;
  readonly adapter?: string;
  /** Stops after the shape that is being timed; earlier results are stored. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const tuneTrainingOptions = optionNames<TuneTrainingOptions>({
  model: true,
  batchSize: true,
  adapter: true,
  signal: true,
  onProgress: true,
});

/** The result of `tuneTraining`. */
export interface TuneReport {
  readonly adapter: string;
  readonly model: ModelName;
  readonly batchSize: number;
  /** Duration of the tuning. */
  readonly seconds: number;
  /** Time of the fixed choices over time of the tuned ones, for all operations of a step with several algorithms. */
  readonly ratio: number;
  readonly results: readonly TuneResult[];
}

/** Times the algorithms of the operations of a training step that are not tuned on the adapter yet, and stores the fastest. */
export async function tuneTraining(options: TuneTrainingOptions): Promise<TuneReport> {
  expectOptions('tuneTraining', options, tuneTrainingOptions);
  const { model, batchSize, signal, onProgress = () => {} } = options;
  const device = await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const config = trainingConfig(model, FER2013.name, batchSize === undefined ? {} : { batchSize });
  const start = performance.now();
  const results = await tuneStep(model, config, { onProgress, ...(signal ? { signal } : {}) });
  const total = (secondsOf: (result: TuneResult) => number): number =>
    results.reduce((sum, result) => sum + result.calls * secondsOf(result), 0);
  return {
    adapter: device.facts.name,
    model,
    batchSize: config.batchSize,
    seconds: (performance.now() - start) / 1000,
    ratio: total(({ fixedSeconds }) => fixedSeconds) / total(({ seconds }) => seconds),
    results,
  };
}

/** `mien tune`. */
export const tuneCommand: CommandDefinition = defineCommand({
  name: 'tune',
  summary: "Times the algorithms of a training step's operations on this adapter and stores the fastest.",
  options: {
    model: MODEL,
    batchSize: integer('<n>', 'images per step (default: as on FER2013)'),
    list: conflicting(flag('print the stored choices for all adapters'), ['model', 'delete']),
    delete: conflicting(flag('delete the stored choices for all adapters'), ['model']),
    adapter: ADAPTER,
  },
  notes: 'Stored choices are used with MIEN_TUNE=on; mien train then first tunes operations that are not stored yet.',
  run: async ({ options, signal, onEvent }) => {
    const { model, list, delete: remove, ...rest } = options;
    if (list) {
      const kept = await listTuned();
      return { report: { kept }, text: storedText(kept) };
    }
    if (remove) {
      const deleted = await deleteTuned();
      return { report: { deleted }, text: `deleted the choices for ${deleted} operations and shapes\n` };
    }
    if (!model) throw new UsageError(`tune needs --model (${MODELS.join(', ')}), --list or --delete`);
    const onProgress = (done: number, total: number): void => onEvent({ event: 'tuning', done, total });
    const report = await tuneTraining({ model, ...rest, signal, onProgress });
    return { report, text: tuningText(report) };
  },
});

function tuningText({ adapter, model, batchSize, seconds, ratio, results }: TuneReport): string {
  const known = results.filter((result) => result.known).length;
  return [
    `adapter: ${adapter}`,
    `${model}, ${batchSize} images: ${results.length} operations and shapes, ${known} of them tuned before, in ${seconds.toFixed(0)} s`,
    `per step, the fixed choices take ${ratio.toFixed(2)} times as long as the tuned ones`,
    ...tunedTable(results),
    'calls are those of one step; MIEN_TUNE=on uses the tuned algorithms',
    '',
  ].join('\n');
}

function storedText(stored: readonly TunedAdapter[]): string {
  if (stored.length === 0) return 'no choices are stored; mien tune --model NAME tunes a training step\n';
  return stored.flatMap(({ adapter, entries }) => [`adapter: ${adapter}`, ...tunedTable(entries), '']).join('\n');
}

/** A line per operation and shape. */
function tunedTable(results: readonly (Tuned & { readonly calls?: number })[]): string[] {
  const table = results.map(({ calls, operation, shape, algorithm, seconds, fixed, fixedSeconds }) => [
    ...(calls === undefined ? [] : [String(calls)]),
    (1000 * seconds).toFixed(2),
    (1000 * fixedSeconds).toFixed(2),
    (fixedSeconds / seconds).toFixed(2),
    algorithm,
    algorithm === fixed ? '' : fixed,
    `${operation} ${shape}`,
  ]);
  const head = ['ms', 'fixed ms', 'ratio', 'algorithm', 'fixed algorithm', 'operation and shape'];
  return aligned([results.some(({ calls }) => calls !== undefined) ? ['calls', ...head] : head, ...table]);
}
