// `mien models`: the networks that are shipped trained, and those to train (Node only).

import { createHash } from 'node:crypto';
import { blazeFaceWeights } from '../blazeface.ts';
import { type CommandDefinition, defineCommand } from '../cli/defineCommand.ts';
import { FER2013 } from '../datasets/fer2013.ts';
import { MODELS, type ModelName } from '../models/catalog.ts';
import { grouped, type Interval, intervalOf, range, share } from '../runs/accuracy.ts';
import { readWeights } from '../runs/folder.ts';
import { isStatistic } from '../training/checkpoint.ts';
import { SHIPPED, type ShippedName, shippedWeights } from '../weights.ts';

/** A trained network. Accuracies are fractions. */
export interface ShippedModel {
  readonly name: ShippedName;
  readonly parameters: number;
  /** Size of its float16 safetensors file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly license: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly seed: number;
  /** Ten-crop accuracy on FER2013's PrivateTest, with its 95 % interval. */
  readonly accuracy: number;
  readonly interval: Interval;
  readonly accuracyWithoutDuplicates: number;
  readonly n: number;
  /** The command that measures the accuracy. */
  readonly command: string;
}

/** The result of `models`. */
export interface ModelsReport {
  readonly shipped: readonly ShippedModel[];
  readonly detector: {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly license: string;
  };
  /** Networks without trained weights. */
  readonly untrained: readonly ModelName[];
}

/** The networks, with the figures stored in their files. */
export async function models(): Promise<ModelsReport> {
  return {
    shipped: await Promise.all(SHIPPED.map(shipped)),
    detector: {
      name: 'BlazeFace',
      bytes: blazeFaceWeights.length,
      sha256: digest(blazeFaceWeights),
      license: 'Apache-2.0, by the MediaPipe authors',
    },
    untrained: MODELS.filter((name) => !SHIPPED.some((other) => other === name)),
  };
}

async function shipped(name: ShippedName): Promise<ShippedModel> {
  const bytes = await shippedWeights(name);
  const { info, model, note } = await readWeights(name);
  const { dataset = FER2013.name, privateImages = 0, privateAccuracy = 0, privateAccuracyWithoutDuplicates = 0 } = note;
  const parameters = [...model].filter(([key]) => !isStatistic(key));
  return {
    name,
    parameters: parameters.reduce((sum, [, { data }]) => sum + data.length, 0),
    bytes: bytes.length,
    sha256: digest(bytes),
    license: 'MIT; for the data see the model card',
    dataset,
    epochs: info.epoch,
    seed: info.seed,
    accuracy: privateAccuracy,
    interval: intervalOf(Math.round(privateAccuracy * privateImages), privateImages, dataset),
    accuracyWithoutDuplicates: privateAccuracyWithoutDuplicates,
    n: privateImages,
    command: `mien evaluate --weights ${name} --dataset fer2013 --data fer2013.csv --split private`,
  };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `mien models`. */
export const modelsCommand: CommandDefinition = defineCommand({
  name: 'models',
  summary: 'Lists the networks: the trained ones with size, accuracy, license and checksum, and the others.',
  options: {},
  run: async () => {
    const report = await models();
    return { report, text: modelsText(report) };
  },
});

function modelsText({ shipped, detector, untrained }: ModelsReport): string {
  return [
    ...shipped.flatMap(shippedLines),
    `${detector.name}, the face detector: ${size(detector.bytes)}`,
    `  license: ${detector.license}`,
    `  sha256: ${detector.sha256}`,
    `without weights: ${untrained.join(', ')}; use mien train --model NAME or mien import FILE`,
    '',
  ].join('\n');
}

function shippedLines(model: ShippedModel): string[] {
  const { name, parameters, bytes, sha256, license, epochs, seed, accuracy, interval, n, command } = model;
  return [
    `${name}: ${grouped(parameters)} parameters, ${size(bytes)}, trained on FER2013 (${epochs} epochs, seed ${seed})`,
    `  accuracy: ${share(accuracy)} on ${grouped(n)} images of PrivateTest (95 % interval ${range(interval)}), ${share(model.accuracyWithoutDuplicates)} without duplicates of training images`,
    `  measured by: ${command}`,
    `  license: ${license}`,
    `  sha256: ${sha256}`,
  ];
}

function size(bytes: number): string {
  return `${grouped(Math.round(bytes / 1000))} kB`;
}
