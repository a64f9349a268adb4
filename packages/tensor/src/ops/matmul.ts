// Matrix products. Kernels read both operands k-major ([K, M] and [K, N]), so what is stored otherwise is packed first;
// packing costs M K + K N, the product M N K.
import packText from '@mien/shaders/matmul/pack.wgsl';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitRows } from '../runtime/split.ts';
import type { Memory } from '../runtime/storage.ts';
import { empty, type Tensor } from '../tensor.ts';
import { broadcastShapes, type Shape, show, sizeOf } from './geometry.ts';
import { gemm } from './matmulGemm.ts';
import { sumTo } from './reduce.ts';
import { expand, reshape } from './shape.ts';

/** The next multiple of 4, the size of a vec4. */
export function roundUp4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

const pack = { straight: kernel(packText), transposed: kernel(packText, { TRANSPOSED: true }) };

/** Matrices [batches, rows, columns], or transposed ones, with columns padded by zeros to a multiple of 4. */
export function packed(x: Memory, batches: number, rows: number, columns: number, transposed: boolean): Tensor {
  const [xRows, xColumns] = transposed ? [columns, rows] : [rows, columns];
  const y = empty([batches, rows, roundUp4(columns)]);
  const form = transposed ? pack.transposed : pack.straight;
  const blocks = batches * Math.ceil(rows / 4) * (roundUp4(columns) / 4);
  run(
    form,
    { x, y },
    { batches, rows, columns: roundUp4(columns), xRows, xColumns },
    Math.ceil(blocks / form.const('LANES')),
  );
  return y;
}

/**
 * The matrix product: [..., M, K] times [..., K, N] is [..., M, N], leading dimensions broadcasting; a vector stands for a
 * row on the left and a column on the right, and its dimension goes. Throws ShapeError naming both.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  expectDtype('matmul', 'a', a, 'float32');
  expectDtype('matmul', 'b', b, 'float32');
  if (a.rank === 0 || b.rank === 0)
    throw new ShapeError(`matmul: a and b have dimensions, came ${show(a.shape)} and ${show(b.shape)}`);
  if (a.shape.at(-1) !== b.shape.at(b.rank === 1 ? 0 : -2)) {
    throw new ShapeError(
      `matmul: a has ${a.shape.at(-1)} columns, b has ${b.shape.at(b.rank === 1 ? 0 : -2)} rows (a ${show(a.shape)}, b ${show(b.shape)})`,
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

/** a times b, of which either is stored transposed. */
function product(a: Tensor, b: Tensor, aTransposed: boolean, bTransposed: boolean): Tensor {
  const y = scope(() => multiply(a, b, aTransposed, bTransposed));
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

function multiply(a: Tensor, b: Tensor, aTransposed: boolean, bTransposed: boolean): Tensor {
  const [rows, depth] = (aTransposed ? a.shape.slice(-2).reverse() : a.shape.slice(-2)) as [number, number];
  const columns = b.shape.at(bTransposed ? -2 : -1) as number;
  const lead = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batches = sizeOf(lead);
  const [left, right] = [batched(a, lead), batched(b, lead)];
  const y = empty([...lead, rows, columns]);
  const [aOne, bOne] = [left.size === rows * depth, right.size === depth * columns];
  const perBatch = [aOne ? 0 : 4 * rows * depth, bOne ? 0 : 4 * depth * columns, 4 * rows * columns];
  const spans = splitRows(
    'matmul',
    batches,
    perBatch.filter((bytes) => bytes > 0),
    y.storage.device.limits,
  );
  for (const { start, count } of spans) {
    const of = (x: Memory, i: number): Memory => {
      const bytes = perBatch[i] as number;
      return bytes === 0 ? x : part(x, start * bytes, count * bytes);
    };
    const pa = kMajor(of(left, 0), aOne ? 1 : count, depth, rows, !aTransposed);
    const pb = kMajor(of(right, 1), bOne ? 1 : count, depth, columns, bTransposed);
    const [aWidth, bWidth] = [roundUp4(rows), roundUp4(columns)];
    gemm({
      a: { memory: pa, width: aWidth, batch: aOne ? 0 : depth * aWidth },
      b: { memory: pb, width: bWidth, batch: bOne ? 0 : depth * bWidth },
      c: { memory: of(y, 2), batch: rows * columns },
      rows,
      columns,
      depth,
      batches: count,
    });
  }
  return y;
}

/** Matrices [depth, width] with the width padded to a multiple of 4; x itself where it is stored so already. */
function kMajor(x: Memory, batches: number, depth: number, width: number, transposed: boolean): Memory {
  return transposed || width % 4 !== 0 ? packed(x, batches, depth, width, transposed) : x;
}

/** x with the leading dimensions `lead`, or none at all where one matrix serves every batch. */
function batched(x: Tensor, lead: Shape): Tensor {
  const own = sizeOf(x.shape.slice(0, -2));
  return own === 1 || own === sizeOf(lead) ? x : expand(x.detach(), [...lead, ...x.shape.slice(-2)]);
}
