// Triangles of matrices.
import triangleText from '@mien/shaders/triangle/triangle.wgsl';
import { expectInteger } from '../arguments.ts';
import { record } from '../autograd.ts';
import { ShapeError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { part, splitElements } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { show } from './geometry.ts';

const forms = { tril: kernel(triangleText), triu: kernel(triangleText, { UPPER: true }) };

/**
 * The lower triangle of each matrix of x [..., rows, columns], 0 elsewhere: columns up to row + diagonal. Throws ShapeError for
 * fewer than two dimensions.
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal);
}

/**
 * The upper triangle of each matrix of x [..., rows, columns], 0 elsewhere: columns from row + diagonal. Throws ShapeError for
 * fewer than two dimensions.
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal);
}

function triangle(name: 'tril' | 'triu', x: Tensor, diagonal: number): Tensor {
  expectInteger(name, 'diagonal', diagonal, Number.NEGATIVE_INFINITY);
  const [rows, columns] = x.shape.slice(-2);
  if (rows === undefined || columns === undefined) {
    throw new ShapeError(
      `${name}: expected x of shape [..., rows, columns], got ${show(x.shape)}; add a dimension with unsqueeze`,
    );
  }
  const y = newEmpty(x, x.shape);
  const form = forms[name];
  const perGroup = form.const('LANES') * form.const('ELEMENTS');
  for (const { start, count } of splitElements(x.size, deviceOf(x).limits)) {
    run(
      form,
      { x: part(x, 4 * start, 4 * count), y: part(y, 4 * start, 4 * count) },
      // Farther diagonals select nothing else.
      { first: start, size: count, rows, columns, diagonal: Math.min(Math.max(diagonal, -rows), columns) },
      Math.ceil(count / perGroup),
    );
  }
  return record(name, y, { x }, { saves: {}, backward: (dy) => ({ x: triangle(name, dy, diagonal) }) });
}
