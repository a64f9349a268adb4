import { clamp, embedding, gather, gelu, leakyRelu, logSoftmax, softmax, type Tensor } from '@mien/tensor';
import elements from './element.golden.json' with { type: 'json' };
import { agree } from './golden.ts';

agree(
  elements,
  {
    gelu: ({ x }) => gelu(x),
    geluTanh: ({ x }) => gelu(x, 'tanh'),
    silu: ({ x }) => x.silu(),
    sigmoid: ({ x }) => x.sigmoid(),
    tanh: ({ x }) => x.tanh(),
  },
  { sums: false, least: 1 },
);

agree(
  elements,
  {
    relu: ({ x }) => x.relu(),
    abs: ({ x }) => x.abs(),
    leakyRelu: ({ x }) => leakyRelu(x, 0.125),
    clamp: ({ x }) => clamp(x, { min: -1, max: 2.5 }),
    pow: ({ a, b }) => a.pow(b),
    maximum: ({ a, b }) => a.maximum(b),
    minimum: ({ a, b }) => a.minimum(b),
    argmax: ({ x }, { dim }) => x.argmax(dim ?? undefined),
    argmin: ({ x }, { dim }) => x.argmin(dim ?? undefined),
  },
  { sums: false },
);

agree(
  elements,
  {
    variance: ({ x }, { dims, correction }) => x.variance(dims, { correction }),
    std: ({ x }, { dims, correction }) => x.std(dims, { correction }),
    max: ({ x }, { dims }) => x.max(dims),
    min: ({ x }, { dims }) => x.min(dims),
    softmax: ({ x }, { dim }) => softmax(x, dim),
    logSoftmax: ({ x }, { dim }) => logSoftmax(x, dim),
    gather: ({ x, index }, { dim }) => gather(x, dim, index),
    embedding: ({ index, weight }) => embedding(index, weight as Tensor),
  },
  { sums: true },
);
