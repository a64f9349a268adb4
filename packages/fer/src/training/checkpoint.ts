// Reads the checkpoints of `Training` and checks the network's name and the configuration.

import { FormatError, type HostTensor, type Layer } from '@mien/nn';
import { type Checkpoint, readCheckpoint } from '@mien/nn/checkpoint';
import { Generator, ValueError } from '@mien/tensor';
import { createNetwork, isModelName, MODELS, type ModelName } from '../models/catalog.ts';
import { faultOf, type TrainingConfig } from './config.ts';

/**
 * Reads a checkpoint of `Training`. Throws FormatError, naming `file`, for an incomplete or edited one, and ValueError for an
 * unknown network.
 */
export function readTraining(bytes: Uint8Array, file = 'checkpoint'): ReadCheckpoint {
  const checkpoint = readCheckpoint(bytes, { file });
  const { model, preset } = checkpoint.info;
  if (!isModelName(model)) {
    throw new ValueError(`${file}: expected a network of ${MODELS.join(', ')}, got ${model}`);
  }
  const fault = faultOf(preset) ?? faultOfExtra(checkpoint.info.extra);
  if (fault)
    throw new FormatError(`${file}: metadata mien: ${fault}; the file was edited, or written by another version`);
  return { ...checkpoint, name: model, config: preset as unknown as TrainingConfig };
}

/** The problem of the part of a checkpoint that `Training` adds, or null. */
function faultOfExtra(extra: unknown): string | null {
  if (extra === undefined) return null;
  const { note, sums } = Object(extra) as Record<'note' | 'sums', unknown>;
  const plainNote =
    note instanceof Object &&
    Object.values(note).every((each) => each === null || ['number', 'string'].includes(typeof each));
  if (!plainNote) return `note must be names with numbers, text or null, got ${JSON.stringify(note)}`;
  const numbers = ['loss', 'correct', 'images', 'learningRate'].map(
    (name) => (Object(sums) as Record<string, unknown>)[name],
  );
  return numbers.every(Number.isFinite)
    ? null
    : `sums must be loss, correct, images and learningRate, got ${JSON.stringify(sums)}`;
}

/** A checkpoint with its network's name and configuration. */
export interface ReadCheckpoint extends Required<Checkpoint<ReadonlyMap<string, HostTensor>>> {
  readonly name: ModelName;
  readonly config: TrainingConfig;
}

/** The network of a checkpoint in evaluation mode, with averaged weights where it has them. Throws StateError where they do not fit. */
export function trainedNetwork({ name, config, info, model, ema }: ReadCheckpoint): Layer {
  const classes = info.classes.length;
  const net = createNetwork(name, { classes, channels: config.input.channels, generator: new Generator(0) }).eval();
  try {
    net.loadStateDict(model);
    if (ema.size > 0) net.loadStateDict(ema, { strict: false });
    return net;
  } catch (reason) {
    net.dispose();
    throw reason;
  }
}

/** Whether a tensor of a state dict is a running statistic or a counter, not a parameter. */
export function isStatistic(name: string): boolean {
  return /\.(running_mean|running_var|num_batches_tracked)$/.test(name);
}
