// Small public functions that other tests only use.
import { ArrayDataset, buffer, calculateGain, Module, normal, parameter, toHost, uniform } from '@mien/nn';
import { Generator, ones, ShapeError, scope, type Tensor } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('ArrayDataset returns the rows of its columns, and refuses columns of different lengths', () => {
  const column = (rows: number) => ({
    shape: [rows, 2],
    dtype: 'float32' as const,
    data: new Float32Array(2 * rows).fill(rows),
  });
  const [row] = new ArrayDataset(column(3)).get(2);
  ensure(row?.shape.join() === '2' && row.data.join() === '3,3', `[${row?.shape}] ${row?.data}`);
  refuses(
    () => new ArrayDataset(column(2), column(3)),
    ShapeError,
    'ArrayDataset: expected columns with equally many rows, got 2, 3',
  );
});

test('calculateGain is that of PyTorch for each nonlinearity', () => {
  const actual = [
    calculateGain('linear'),
    calculateGain('tanh'),
    calculateGain('relu'),
    calculateGain('leakyRelu', 0.5),
  ];
  ensure(actual.join() === [1, 5 / 3, Math.SQRT2, Math.sqrt(2 / 1.25)].join(), actual.join());
});

test('uniform and normal have their bound, mean and deviation', async () => {
  const [flat, bell] = [
    uniform([4096], 0.5, { generator: new Generator(1) }),
    normal([4096], 2, { generator: new Generator(2) }),
  ];
  const [values, others] = await Promise.all([flat.data(), bell.data()]);
  const meanOf = (list: ArrayLike<number>): number => Array.from(list).reduce((sum, v) => sum + v, 0) / list.length;
  ensure(values.every((v) => v >= -0.5 && v < 0.5) && Math.abs(meanOf(values)) < 0.03, `mean ${meanOf(values)}`);
  const deviation = Math.sqrt(meanOf(Array.from(others, (v) => v * v)));
  ensure(Math.abs(meanOf(others)) < 0.2 && Math.abs(deviation - 2) < 0.12, `deviation ${deviation}`);
  for (const each of [flat, bell]) each.dispose();
});

test('parameter and buffer outlive their scope; a parameter alone requires gradients', async () => {
  const [weight, count] = scope(() => [parameter(ones([2])), buffer(ones([2]))] as const);
  ensure(weight.requiresGrad && !count.requiresGrad, 'only the parameter is trained');
  ensure((await count.data()).join() === '1,1' && (await weight.data()).join() === '1,1', 'both are alive');
  for (const each of [weight, count]) each.dispose();
});

test('Module finds the parameters and buffers among its fields', () => {
  class Scaled extends Module {
    readonly scale = parameter(ones([3]));
    readonly seen = buffer(ones([1]));

    forward(x: Tensor): Tensor {
      return x.mul(this.scale);
    }
  }
  using model = new Scaled();
  ensure(
    model
      .namedParameters()
      .map(([name]) => name)
      .join() === 'scale',
    'one parameter',
  );
  ensure([...model.stateDict().keys()].sort().join() === 'scale,seen', [...model.stateDict().keys()].join());
});

test('toHost copies every tensor of a state in its order', async () => {
  const state = new Map([
    ['b', ones([2])],
    ['a', ones([1, 1])],
  ]);
  const host = await toHost(state);
  ensure([...host.keys()].join() === 'b,a' && host.get('b')?.data.join() === '1,1', [...host.keys()].join());
  ensure(host.get('a')?.shape.join() === '1,1' && host.get('a')?.dtype === 'float32', 'shape and dtype');
  for (const each of state.values()) each.dispose();
});
