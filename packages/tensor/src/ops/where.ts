import whereText from '@mien/shaders/where/whereSelect.wgsl';
import { expectTensor } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { DtypeError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { scope } from '../runtime/scope.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { runElementwise } from './elementwise.ts';
import { newFull } from './fill.ts';
import { broadcastShapes } from './geometry.ts';
import { expand } from './shape.ts';
import { sumTo } from './sumTo.ts';

const forward = kernel(whereText);

/**
 * a where the condition is true, else b; all three broadcast, and a or b may be a number.
 * Throws DtypeError unless the condition is bool and a and b have one dtype.
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return scope(() => choose(condition, a, b));
}

function choose(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  expectDtype('where', 'condition', condition, 'bool');
  if (typeof a !== 'number') expectTensor('where', 'a', a);
  if (typeof b !== 'number') expectTensor('where', 'b', b);
  const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'float32';
  const x = typeof a === 'number' ? newFull(condition, [], a, dtype) : a;
  const z = typeof b === 'number' ? newFull(condition, [], b, dtype) : b;
  if (x.dtype !== z.dtype)
    throw new DtypeError(
      `where: expected a and b of one dtype, got ${x.dtype} and ${z.dtype}; convert one with to(dtype)`,
    );
  const shape = broadcastShapes('where', broadcastShapes('where', x.shape, z.shape), condition.shape);
  const y = newEmpty(condition, shape, dtype);
  const broadcast = (part: Tensor): Tensor => (part.size === y.size ? part : expand(part.detach(), shape));
  const mask = broadcast(condition);
  runElementwise(forward, { condition: mask, a: broadcast(x), b: broadcast(z), y });
  const [shapeA, shapeB] = [x.shape, z.shape];
  return record(
    'where',
    y,
    { a: x, b: z },
    {
      saves: { mask },
      backward: (dy, saved, needs) => ({
        a: needs.a && sumTo(where(saved.mask, dy, 0), shapeA),
        b: needs.b && sumTo(where(saved.mask, 0, dy), shapeB),
      }),
    },
  );
}
