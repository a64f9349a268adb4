// What one step of training is made of: parts of a batch, groups of parameters, and what is counted.
import { BatchNorm2d, type Layer, type ParamGroupOptions, type SGDOptions } from '@mien/nn';
import type { TypedArray } from '@mien/tensor';
import type { TrainingConfig } from './config.ts';

/**
 * Where the parts of a batch begin and end: at most `most` images each, and of nearly equal sizes. BatchNorm cannot train on
 * a single image, so that an odd batch in parts of two has one of three.
 */
export function microBatches(
  images: number,
  most: number = images,
): readonly (readonly [start: number, end: number])[] {
  const count = Math.max(1, Math.min(Math.ceil(images / most), Math.floor(images / 2)));
  const at = (i: number): number => Math.round((i * images) / count);
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)]);
}

/** BatchNorm's own weights apart, where the protocol does not decay them. */
export function parameterGroups(net: Layer, { decayNorm }: TrainingConfig): ParamGroupOptions<SGDOptions>[] {
  const all = net.namedParameters();
  if (decayNorm) return [{ params: all }];
  const norms = net.namedModules().filter(([, module]) => module instanceof BatchNorm2d);
  const ofNorms = new Set(norms.flatMap(([, module]) => module.parameters()));
  return [
    { params: all.filter(([, parameter]) => !ofNorms.has(parameter)) },
    { params: all.filter(([, parameter]) => ofNorms.has(parameter)), weightDecay: 0 },
  ];
}

/** How many rows of `values` (after the first number, the loss) are largest at their label. */
export function countCorrect(values: TypedArray, labels: Int32Array, classes: number): number {
  let correct = 0;
  for (const [row, label] of labels.entries()) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((values[1 + row * classes + c] as number) > (values[1 + row * classes + best] as number)) best = c;
    }
    if (best === label) correct++;
  }
  return correct;
}
