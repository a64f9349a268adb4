import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from '@mien/tensor';
import { agree } from './golden.ts';
import pools from './pool.golden.json' with { type: 'json' };

agree(
  pools,
  {
    maxPool2d: ({ x }, options) => maxPool2d(x, options),
    avgPool2d: ({ x }, options) => avgPool2d(x, options),
    adaptiveAvgPool2d: ({ x }, { size }) => adaptiveAvgPool2d(x, size),
  },
  { sums: true },
);
