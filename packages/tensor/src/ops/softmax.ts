// Normalized exponentials along one dimension, shifted by the maximum so that none overflows.
import softmaxText from '@mien/shaders/softmax/softmax.wgsl';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { part, splitRows } from '../runtime/split.ts';
import { empty, type Tensor } from '../tensor.ts';
import { normalizeDim, sizeOf } from './geometry.ts';

const plain = kernel(softmaxText);
const logarithm = kernel(softmaxText, { LOGARITHM: true });

/** exp(x) / sum of exp(x) along `dim`. */
export function softmax(x: Tensor, dim: number): Tensor {
  expectDtype('softmax', 'x', x, 'float32');
  const along = normalizeDim('softmax', dim, x.rank);
  const y = alongColumns('softmax', plain, x, along);
  return record(
    'softmax',
    y,
    { x },
    {
      saves: { y },
      backward: (dy, saved) => {
        const weighted = dy.mul(saved.y);
        return { x: weighted.sub(saved.y.mul(weighted.sum(along, { keepDim: true }))) };
      },
    },
  );
}

/** log softmax(x) along `dim`, without the rounding error of the logarithm of a small softmax. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  expectDtype('logSoftmax', 'x', x, 'float32');
  const along = normalizeDim('logSoftmax', dim, x.rank);
  const y = alongColumns('logSoftmax', logarithm, x, along);
  return record(
    'logSoftmax',
    y,
    { x },
    {
      saves: { y },
      backward: (dy, saved) => ({ x: dy.sub(saved.y.exp().mul(dy.sum(along, { keepDim: true }))) }),
    },
  );
}

/** Runs a kernel with one thread per column along `dim`, in parts that can be bound. */
function alongColumns(name: string, form: Kernel, x: Tensor, dim: number): Tensor {
  const y = empty(x.shape);
  const length = x.shape[dim] as number;
  const inner = sizeOf(x.shape.slice(dim + 1));
  const rowBytes = 4 * length * inner;
  for (const { start, count } of splitRows(name, x.size / (length * inner), [rowBytes], deviceOf(x).limits)) {
    const rows = (tensor: Tensor) => part(tensor, start * rowBytes, count * rowBytes);
    const groups = Math.ceil((count * inner) / form.const('LANES'));
    run(form, { x: rows(x), y: rows(y) }, { outer: count, length, inner }, groups);
  }
  return y;
}
