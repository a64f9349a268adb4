import { factorLoss, Total } from './bounds.ts';
import { build, elementAt, stretchedAt, stretchedShape, type Values } from './values.ts';

/** Gradients are sums of products too, without further errors. */
function withSlopes(y: Values, inputs: readonly Values[]): Values {
  return { ...y, slopes: new Map(inputs.map((x) => [x, new Float64Array(x.data.length)])) };
}

export function matmul(a: Values, b: Values): Values {
  return product(a, b, 'f32');
}

/** The same with factors rounded to f16. */
export function matmulHalf(a: Values, b: Values): Values {
  return product(a, b, 'f16');
}

function product(a: Values, b: Values, precision: 'f32' | 'f16'): Values {
  const left = a.shape.length === 1 ? { ...a, shape: [1, ...a.shape] } : a;
  const right = b.shape.length === 1 ? { ...b, shape: [...b.shape, 1] } : b;
  const [rows, depth] = left.shape.slice(-2) as [number, number];
  const columns = right.shape.at(-1) as number;
  const lead = stretchedShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const y = build([...lead, rows, columns], (i) => {
    const [batch, row, column] = [i.slice(0, -2), i.at(-2) as number, i.at(-1) as number];
    const sum = new Total();
    for (let k = 0; k < depth; k++)
      sum.addProduct(stretchedAt(left, [...batch, row, k]), stretchedAt(right, [...batch, k, column]));
    return { value: sum.value, error: sum.error + factorLoss(sum.value, sum.spread, precision) };
  });
  const rowsKept = a.shape.length === 1 ? [] : [rows];
  const columnsKept = b.shape.length === 1 ? [] : [columns];
  return withSlopes({ ...y, shape: [...lead, ...rowsKept, ...columnsKept] }, [a, b]);
}

export function linear(x: Values, weight: Values, bias: Values | null): Values {
  const [outputs, inputs] = weight.shape as [number, number];
  const y = build([...x.shape.slice(0, -1), outputs], (i) => {
    const column = i.at(-1) as number;
    const sum = new Total();
    if (bias) sum.add(bias.data[column] as number, bias.error?.[column]);
    for (let k = 0; k < inputs; k++)
      sum.addProduct(elementAt(x, [...i.slice(0, -1), k]), elementAt(weight, [column, k]));
    return sum;
  });
  return withSlopes(y, bias ? [x, weight, bias] : [x, weight]);
}
