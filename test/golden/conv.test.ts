import { conv2d, convTranspose2d, type Tensor } from '@mien/tensor';
import convolutions from './conv.golden.json' with { type: 'json' };
import { agree } from './golden.ts';

agree(
  convolutions,
  {
    conv2d: ({ x, weight, bias = null }, options) => conv2d(x, weight as Tensor, bias, options),
    convTranspose2d: ({ x, weight, bias = null }, options) => convTranspose2d(x, weight as Tensor, bias, options),
    matmul: ({ a, b }) => a.matmul(b),
  },
  { sums: true },
);
