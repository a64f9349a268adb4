import { addcmul, nanToNum, type Tensor } from '@mien/tensor';
import functions from './function.golden.json' with { type: 'json' };
import { agree } from './golden.ts';

agree(
  functions,
  {
    erf: ({ x }) => x.erf(),
    erfc: ({ x }) => x.erfc(),
    sin: ({ x }) => x.sin(),
    cos: ({ x }) => x.cos(),
    tan: ({ x }) => x.tan(),
    asin: ({ x }) => x.asin(),
    acos: ({ x }) => x.acos(),
    expm1: ({ x }) => x.expm1(),
    addcmul: ({ a, b, weight }) => addcmul(a, b, weight as Tensor, { value: 0.5 }),
    lerp: ({ a, b, weight }) => a.lerp(b, weight as Tensor),
  },
  { sums: false, least: 1 },
);

agree(
  functions,
  {
    floor: ({ x }) => x.floor(),
    ceil: ({ x }) => x.ceil(),
    round: ({ x }) => x.round(),
    trunc: ({ x }) => x.trunc(),
    frac: ({ x }) => x.frac(),
    reciprocal: ({ x }) => x.reciprocal(),
    atan: ({ x }) => x.atan(),
    exp2: ({ x }) => x.exp2(),
    log2: ({ x }) => x.log2(),
    log10: ({ x }) => x.log10(),
    log1p: ({ x }) => x.log1p(),
    sinh: ({ x }) => x.sinh(),
    cosh: ({ x }) => x.cosh(),
    asinh: ({ x }) => x.asinh(),
    acosh: ({ x }) => x.acosh(),
    erfinv: ({ x }) => x.erfinv(),
    atanh: ({ x }) => x.atanh(),
    isnan: ({ x }) => x.isnan().to('int32'),
    isinf: ({ x }) => x.isinf().to('int32'),
    isfinite: ({ x }) => x.isfinite().to('int32'),
    nanToNum: ({ x }) => nanToNum(x),
    atan2: ({ a, b }) => a.atan2(b),
    remainder: ({ a, b }) => a.remainder(b),
    fmod: ({ a, b }) => a.fmod(b),
    pow: ({ a, b }) => a.pow(b),
  },
  { sums: false },
);
