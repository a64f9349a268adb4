import { at, build, stretchedAt, stretchedShape, type Values } from './values.ts';

export function matmul(a: Values, b: Values): Values {
  const left = a.shape.length === 1 ? { shape: [1, ...a.shape], data: a.data } : a;
  const right = b.shape.length === 1 ? { shape: [...b.shape, 1], data: b.data } : b;
  const [rows, depth] = left.shape.slice(-2) as [number, number];
  const columns = right.shape.at(-1) as number;
  const lead = stretchedShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const y = build([...lead, rows, columns], (i) => {
    const [batch, row, column] = [i.slice(0, -2), i.at(-2) as number, i.at(-1) as number];
    let sum = 0;
    for (let k = 0; k < depth; k++)
      sum += stretchedAt(left, [...batch, row, k]) * stretchedAt(right, [...batch, k, column]);
    return sum;
  });
  const rowsKept = a.shape.length === 1 ? [] : [rows];
  const columnsKept = b.shape.length === 1 ? [] : [columns];
  return { shape: [...lead, ...rowsKept, ...columnsKept], data: y.data };
}

export function linear(x: Values, weight: Values, bias: Values | null): Values {
  const [outputs, inputs] = weight.shape as [number, number];
  return build([...x.shape.slice(0, -1), outputs], (i) => {
    const column = i.at(-1) as number;
    let sum = bias ? (bias.data[column] as number) : 0;
    for (let k = 0; k < inputs; k++) sum += at(x, [...i.slice(0, -1), k]) * at(weight, [column, k]);
    return sum;
  });
}
