// Checkpoints of `Training`, read back: the network's name and protocol are checked as well as the file.
import { FormatError, type HostTensor, type Layer } from '@mien/nn';
import { type Checkpoint, readCheckpoint } from '@mien/nn/checkpoint';
import { Generator, ValueError } from '@mien/tensor';
import { createNetwork } from '../models/catalog.ts';
import { faultOf, MODELS, type ModelName, type TrainingConfig } from './config.ts';

/**
 * Reads a checkpoint that `Training` wrote. Throws FormatError, naming `file`, for one that is cut short or edited, and
 * ValueError for a network that this package does not have.
 */
export function readTraining(bytes: Uint8Array, file = 'checkpoint'): ReadCheckpoint {
  const checkpoint = readCheckpoint(bytes, { file });
  const { model, preset } = checkpoint.info;
  if (!(MODELS as readonly string[]).includes(model)) {
    throw new ValueError(`${file}: holds a network called ${model}; known are ${MODELS.join(', ')}`);
  }
  const fault = faultOf(preset) ?? faultOfExtra(checkpoint.info.extra);
  if (fault) throw new FormatError(`${file}: metadata mien: ${fault}; it was edited, or another version wrote it`);
  return { ...checkpoint, name: model as ModelName, protocol: preset as unknown as TrainingConfig };
}

/** What is wrong with the part of a checkpoint that `Training` adds, or null. */
function faultOfExtra(extra: unknown): string | null {
  if (extra === undefined) return null;
  const { note, sums } = Object(extra) as Record<'note' | 'sums', unknown>;
  const plainNote =
    note instanceof Object &&
    Object.values(note).every((each) => each === null || ['number', 'string'].includes(typeof each));
  if (!plainNote) return `note is ${JSON.stringify(note)}, expected names with numbers, words or null`;
  const numbers = ['loss', 'correct', 'images', 'learningRate'].map(
    (name) => (Object(sums) as Record<string, unknown>)[name],
  );
  return numbers.every(Number.isFinite)
    ? null
    : `sums is ${JSON.stringify(sums)}, expected loss, correct, images and learningRate`;
}

/** A checkpoint with its network's name and protocol. */
export interface ReadCheckpoint extends Required<Checkpoint<ReadonlyMap<string, HostTensor>>> {
  readonly name: ModelName;
  readonly protocol: TrainingConfig;
}

/** The network of a checkpoint in evaluation mode: averaged weights where it holds them. Throws StateError where they do not fit. */
export function trainedNetwork({ name, protocol, info, model, ema }: ReadCheckpoint): Layer {
  const classes = info.classes.length;
  const net = createNetwork(name, { classes, channels: protocol.input.channels, generator: new Generator(0) }).eval();
  try {
    net.loadStateDict(model);
    if (ema.size > 0) net.loadStateDict(ema, { strict: false });
    return net;
  } catch (reason) {
    net.dispose();
    throw reason;
  }
}
