// The networks there are: those that come trained, with what their files say of them, and those to train.
import { createHash } from 'node:crypto';
import { blazeFaceWeights } from '../../blazeface.ts';
import { type Interval, intervalOf } from '../../runs/accuracy.ts';
import { readWeights } from '../../runs/folder.ts';
import { MODELS, type ModelName } from '../../training/config.ts';
import { SHIPPED, type ShippedName, shippedWeights } from '../../weights.ts';

/** A network that comes trained. Shares are fractions. */
export interface ShippedModel {
  readonly name: ShippedName;
  readonly parameters: number;
  /** Of its float16 safetensors file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly license: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly seed: number;
  /** Of FER2013's PrivateTest by ten views of each image, with its 95 % interval. */
  readonly accuracy: number;
  readonly interval: Interval;
  readonly accuracyWithoutDuplicates: number;
  readonly n: number;
  /** What measures the accuracy again. */
  readonly command: string;
}

/** What `models` tells. */
export interface ModelsReport {
  readonly shipped: readonly ShippedModel[];
  readonly detector: {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly license: string;
  };
  /** Networks that come without weights. */
  readonly untrained: readonly ModelName[];
}

const STATISTICS = /\.(running_mean|running_var|num_batches_tracked)$/;

/** What there is, as the files themselves say. */
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
  const { dataset = 'fer2013', privateImages = 0, privateAccuracy = 0, privateAccuracyWithoutDuplicates = 0 } = note;
  const learnt = [...model].filter(([key]) => !STATISTICS.test(key));
  return {
    name,
    parameters: learnt.reduce((sum, [, { data }]) => sum + data.length, 0),
    bytes: bytes.length,
    sha256: digest(bytes),
    license: 'MIT; of the data see the model card',
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
