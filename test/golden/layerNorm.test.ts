import { layerNorm, rmsNorm } from '@mien/tensor';
import { agree } from './golden.ts';
import norms from './layerNorm.golden.json' with { type: 'json' };

agree(
  norms,
  {
    layerNorm: ({ x, weight = null, bias = null }, { normalizedShape, eps }) =>
      layerNorm(x, normalizedShape, { weight, bias, eps }),
    rmsNorm: ({ x, weight = null }, { normalizedShape, eps }) => rmsNorm(x, normalizedShape, { weight, eps }),
  },
  { sums: true },
);
