// Matrix products. Most kernels read both operands k-major ([K, M] and [K, N]); other layouts are packed first, which costs
// M K + K N where the product costs M N K.
import { expectBoolean, expectOptions } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitRows } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { reluGradient } from './binary.ts';
import type { Epilogue, KernelEpilogue } from './epilogue.ts';
import { broadcastShapes, type Shape, show, sizeOf } from './geometry.ts';
import { gemm, splitsOf } from './matmulGemm.ts';
import { precisionNow } from './matmulPrecision.ts';
import type { Operand, Product } from './matmulProduct.ts';
import { sum } from './reduce.ts';
import { expand, reshape } from './shape.ts';
import { sumTo } from './sumTo.ts';
import { reluInto } from './unary.ts';

/**
 * The matrix product: [..., M, K] times [..., K, N] is [..., M, N]; leading dimensions broadcast. A vector is a row on the left
 * and a column on the right, whose dimension is removed from the result. Throws ShapeError naming both.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  expectDtype('matmul', 'a', a, 'float32');
  expectDtype('matmul', 'b', b, 'float32');
  if (a.rank === 0 || b.rank === 0)
    throw new ShapeError(
      `matmul: expected a and b with at least one dimension, got ${show(a.shape)} and ${show(b.shape)}`,
    );
  if (a.shape.at(-1) !== b.shape.at(b.rank === 1 ? 0 : -2)) {
    throw new ShapeError(
      `matmul: expected b with ${a.shape.at(-1)} rows for a ${show(a.shape)}, got ${b.shape.at(b.rank === 1 ? 0 : -2)} (b ${show(b.shape)})`,
    );
  }
  if (a.rank > 1 && b.rank > 1) return product(a, b, false, false);
  return scope(() => {
    const left = a.rank === 1 ? reshape(a, [1, a.size]) : a;
    const right = b.rank === 1 ? reshape(b, [b.size, 1]) : b;
    const y = product(left, right, false, false);
    const rows = a.rank === 1 ? [] : [y.shape.at(-2) as number];
    const columns = b.rank === 1 ? [] : [y.shape.at(-1) as number];
    return reshape(y, [...y.shape.slice(0, -2), ...rows, ...columns]);
  });
}

/** a times b, either of which may be stored transposed. */
export function product(a: Tensor, b: Tensor, aTransposed: boolean, bTransposed: boolean): Tensor {
  const y = scope(() => multiply(a, b, aTransposed, bTransposed, {}));
  const [shapeA, shapeB] = [a.shape, b.shape];
  return record(
    'matmul',
    y,
    { a, b },
    {
      saves: { a, b },
      backward: (dy, saved, needs) => ({
        a:
          needs.a &&
          sumTo(
            aTransposed ? product(saved.b, dy, bTransposed, true) : product(dy, saved.b, false, !bTransposed),
            shapeA,
          ),
        b:
          needs.b &&
          sumTo(
            bTransposed ? product(dy, saved.a, true, aTransposed) : product(saved.a, dy, !aTransposed, false),
            shapeB,
          ),
      }),
    },
  );
}

/**
 * x weight^T + bias: x [..., K], weight [N, K] and bias [N] give [..., N]. With `relu`, max(., 0). Both are applied in the same
 * pass. Throws ShapeError naming the shapes.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Pick<Epilogue, 'relu'> = {},
): Tensor {
  expectOptions('linear', options, ['relu']);
  const { relu = false } = options;
  expectBoolean('linear', 'relu', relu);
  for (const [name, tensor] of Object.entries({ x, weight, bias: bias ?? x }))
    expectDtype('linear', name, tensor, 'float32');
  const [columns, depth] = weight.shape;
  if (weight.rank !== 2 || x.shape.at(-1) !== depth || (bias && bias.shape.join() !== `${columns}`)) {
    throw new ShapeError(
      `linear: expected x [..., K], weight [N, K] and bias [N], got x ${show(x.shape)}, weight ${show(weight.shape)}, bias ${bias ? show(bias.shape) : 'null'}`,
    );
  }
  const rowsOf = (tensor: Tensor): Tensor => reshape(tensor, [-1, tensor.shape.at(-1) as number]);
  const shapeX = x.shape;
  const y = scope(() =>
    reshape(multiply(rowsOf(x.detach()), weight, false, true, { bias, relu }), [
      ...shapeX.slice(0, -1),
      columns as number,
    ]),
  );
  return record(
    'linear',
    y,
    { x, weight, bias },
    {
      saves: { x, weight, y: relu ? y : null },
      backward: (dyOut, saved, needs) => {
        const dy = rowsOf(saved.y ? reluGradient(dyOut, saved.y) : dyOut);
        return {
          x: needs.x && reshape(product(dy, saved.weight, false, false), shapeX),
          weight: needs.weight && product(dy, rowsOf(saved.x), true, false),
          bias: needs.bias && sum(dy, 0),
        };
      },
    },
  );
}

/** The product, with a bias by column and relu. */
function multiply(
  a: Tensor,
  b: Tensor,
  aTransposed: boolean,
  bTransposed: boolean,
  { bias = null, relu = false }: Pick<KernelEpilogue, 'bias' | 'relu'>,
): Tensor {
  const [rows, depth] = (aTransposed ? a.shape.slice(-2).reverse() : a.shape.slice(-2)) as [number, number];
  const columns = b.shape.at(bTransposed ? -2 : -1) as number;
  const lead = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batches = sizeOf(lead);
  const [left, right] = [batched(a, lead), batched(b, lead)];
  const [aOne, bOne] = [left.size === rows * depth, right.size === depth * columns];
  const perBatch = [aOne ? 0 : 4 * rows * depth, bOne ? 0 : 4 * depth * columns, 4 * rows * columns];
  const y = newEmpty(a, [...lead, rows, columns]);
  const full: Product = {
    a: { ...stored(left, depth, rows, !aTransposed), batch: aOne ? 0 : rows * depth },
    b: { ...stored(right, depth, columns, bTransposed), batch: bOne ? 0 : depth * columns },
    c: { memory: y, batch: rows * columns },
    ...{ rows, columns, depth, batches, bias, biasBy: 'column', half: precisionNow() === 'medium' },
  };
  const { limits } = deviceOf(y);
  const bound = perBatch.filter((bytes) => bytes > 0);
  const spans = splitRows('matmul', batches, bound, limits);
  const splits = spans.length > 1 ? 1 : splitsOf(full);
  if (splits > 1) {
    const parts = newEmpty(a, [batches, splits, rows, columns]);
    gemm({ ...full, c: { memory: parts, batch: rows * columns }, splits });
    const total = reshape(sum(parts, 1), y.shape);
    if (!relu) return total;
    reluInto(y, total);
    return y;
  }
  for (const { start, count } of spans) {
    const of = (x: Memory, i: number): Memory => {
      const bytes = perBatch[i] as number;
      return bytes === 0 ? x : part(x, start * bytes, count * bytes);
    };
    const [partA, partB, partC] = [of(left, 0), of(right, 1), of(y, 2)];
    gemm({
      ...full,
      relu,
      a: { ...full.a, memory: partA },
      b: { ...full.b, memory: partB },
      c: { ...full.c, memory: partC },
      batches: count,
    });
  }
  return y;
}

/** Matrices [depth, width], or [width, depth] if they are stored transposed. */
function stored(memory: Memory, depth: number, width: number, transposed: boolean): Operand {
  return transposed ? { memory, width, step: 1, plane: 1, image: depth } : { memory, width };
}

/** x with the leading dimensions `lead`, or x itself where one matrix is used for every batch. */
function batched(x: Tensor, lead: Shape): Tensor {
  const own = sizeOf(x.shape.slice(0, -2));
  return own === 1 || own === sizeOf(lead) ? x : expand(x.detach(), [...lead, ...x.shape.slice(-2)]);
}
