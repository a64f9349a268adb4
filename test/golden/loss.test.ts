import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  nllLoss,
  smoothL1Loss,
} from '@mien/nn';
import type { Tensor } from '@mien/tensor';
import { agree } from './golden.ts';
import losses from './loss.golden.json' with { type: 'json' };

agree(
  losses,
  {
    crossEntropy: ({ x, target, weight }, options) =>
      crossEntropy(x, target, weight ? { ...options, weight } : options),
    nllLoss: ({ x, target, weight }, options) => nllLoss(x, target, { ...options, weight: weight as Tensor }),
    mseLoss: ({ x, target }, options) => mseLoss(x, target, options),
    l1Loss: ({ x, target }, options) => l1Loss(x, target, options),
    smoothL1Loss: ({ x, target }, options) => smoothL1Loss(x, target, options),
    huberLoss: ({ x, target }, options) => huberLoss(x, target, options),
    klDiv: ({ x, target }, options) => klDiv(x, target, options),
    binaryCrossEntropyWithLogits: ({ x, target, ...weights }, options) =>
      binaryCrossEntropyWithLogits(x, target, { ...options, ...weights }),
  },
  { sums: true },
);
