// Shape operations, indexing, pooling, random sampling and creation.
import {
  adaptiveAvgPool2d,
  arange,
  avgPool2d,
  bernoulli,
  cat,
  dropout,
  embedding,
  eye,
  full,
  Generator,
  gather,
  linspace,
  maxPool2d,
  meshgrid,
  oneHot,
  ones,
  pad,
  rand,
  randn,
  randomBits,
  randperm,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@mien/tensor';
import { toTensor } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { type Case, differentiable, distinct, forward, integers, known, sample } from './case.ts';

type Values = reference.Values;

function shapes(): Case[] {
  const x = sample([3, 5, 8], 1);
  const y = sample([3, 4, 8], 2);
  const edges = [
    [0, 0],
    [1, 2],
    [3, 0],
  ] as const;
  return [
    differentiable(
      'reshape',
      (v) => v.reshape([15, 8]),
      (v) => reference.reshape(v, [15, 8]),
      x,
    ),
    differentiable(
      'permute',
      (v) => v.permute([2, 0, 1]),
      (v) => reference.permute(v, [2, 0, 1]),
      x,
    ),
    differentiable(
      'transpose',
      (v) => v.transpose(0, 1),
      (v) => reference.transpose(v, 0, 1),
      x,
    ),
    differentiable(
      'slice',
      (v) => v.slice(1, 1, 5, 2),
      (v) => reference.slice(v, 1, 1, 5, 2),
      x,
    ),
    differentiable(
      'flip',
      (v) => v.flip([0, 2]),
      (v) => reference.flip(v, [0, 2]),
      x,
    ),
    differentiable(
      'expand',
      (v) => v.expand([4, 3, 8]),
      (v) => reference.expand(v, [4, 3, 8]),
      sample([3, 1], 3),
    ),
    differentiable(
      'cat',
      (v, w) => cat([v, w], 1),
      (v, w) => reference.cat([v, w], 1),
      x,
      y,
    ),
    differentiable(
      'stack',
      (v, w) => stack([v, w], 1),
      (v, w) => reference.stack([v, w], 1),
      x,
      x,
    ),
    differentiable(
      'pad',
      (v) => pad(v, edges, 0.5),
      (v) => reference.pad(v, edges, 0.5),
      x,
    ),
    differentiable(
      'pad',
      (v) => pad(v, edges, 'replicate'),
      (v) => reference.pad(v, edges, 'replicate'),
      x,
    ),
  ];
}

/** Views, parts, repetitions and triangles. */
function arrangements(): Case[] {
  const x = sample([3, 5, 8], 4);
  const y = sample([3, 1, 7], 5);
  return [
    differentiable(
      'squeeze',
      (v) => v.squeeze(),
      (v) => reference.squeeze(v),
      y,
    ),
    differentiable(
      'unsqueeze',
      (v) => v.unsqueeze(-1),
      (v) => reference.unsqueeze(v, 3),
      y,
    ),
    differentiable(
      'flatten',
      (v) => v.flatten(1),
      (v) => reference.flatten(v, 1, 2),
      x,
    ),
    differentiable(
      'unflatten',
      (v) => v.unflatten(2, [4, -1]),
      (v) => reference.unflatten(v, 2, [4, 2]),
      x,
    ),
    differentiable(
      'split',
      (v) => v.split([2, 3], 1)[1] as Tensor,
      (v) => reference.split(v, [2, 3], 1)[1] as Values,
      x,
    ),
    differentiable(
      'chunk',
      (v) => v.chunk(2, 1)[1] as Tensor,
      (v) => reference.chunk(v, 2, 1)[1] as Values,
      x,
    ),
    differentiable(
      'repeat',
      (v) => v.repeat([2, 1, 3]),
      (v) => reference.repeat(v, [2, 1, 3]),
      x,
    ),
    differentiable(
      'tile',
      (v) => v.tile([4]),
      (v) => reference.tile(v, [4]),
      x,
    ),
    differentiable(
      'roll',
      (v) => v.roll([1, -3], [0, 2]),
      (v) => reference.roll(v, [1, -3], [0, 2]),
      x,
    ),
    differentiable(
      'tril',
      (v) => v.tril(1),
      (v) => reference.tril(v, 1),
      x,
    ),
    differentiable(
      'triu',
      (v) => v.triu(-1),
      (v) => reference.triu(v, -1),
      x,
    ),
    differentiable(
      'meshgrid',
      (v, w) => cat(meshgrid([v, w]), 0),
      (v, w) => reference.cat(reference.meshgrid([v, w]), 0),
      sample([5], 6),
      sample([7], 7),
    ),
  ];
}

function indexing(): Case[] {
  const x = sample([4, 9], 11);
  const index = integers([4, 3], 12, 0, 9);
  const rows = integers([6], 13, 0, 5);
  const many = integers([600], 24, 0, 5000);
  const indices = (values: Values): Tensor => toTensor(values, { dtype: 'int32' });
  return [
    differentiable(
      'gather',
      (v) => gather(v, 1, indices(index)),
      (v) => reference.gather(v, 1, index),
      x,
    ),
    differentiable(
      'embedding',
      (w) => embedding(indices(rows), w),
      (w) => reference.embedding(rows, w),
      sample([5, 7], 14),
    ),
    differentiable(
      'indexSelect',
      (v) => v.indexSelect(0, indices(rows)),
      (v) => reference.indexSelect(v, 0, rows),
      sample([5, 7], 15),
    ),
    differentiable(
      'indexAdd',
      (v, w) => v.indexAdd(0, indices(rows), w),
      (v, w) => reference.indexAdd(v, 0, rows, w),
      sample([5, 7], 16),
      sample([6, 7], 17),
    ),
    differentiable(
      'scatter',
      (v, w) => v.scatter(1, indices(index), w),
      (v, w) => reference.scatter(v, 1, index, w),
      x,
      sample([4, 3], 18),
    ),
    differentiable(
      'scatterAdd',
      (v, w) => v.scatterAdd(1, indices(index), w),
      (v, w) => reference.scatterAdd(v, 1, index, w),
      x,
      sample([4, 3], 19),
    ),
    differentiable(
      'scatterAdd',
      (v, w) => v.scatterAdd(0, indices(many), w),
      (v, w) => reference.scatterAdd(v, 0, many, w),
      sample([5000], 20),
      sample([600], 21),
    ),
    differentiable(
      'scatter',
      (v, w) => v.scatter(0, indices(many), w),
      (v, w) => reference.scatter(v, 0, many, w),
      sample([5000], 22),
      sample([600], 23),
    ),
    differentiable(
      'at',
      (v) => v.at([1, 3], indices(rows)),
      (v) => reference.select(v, [{ start: 1, count: 2, step: 1 }, rows]),
      x,
    ),
    forward(
      'oneHot',
      (v) => oneHot(v.to('int32'), 9).to('float32'),
      (v) => reference.oneHot(v, 9),
      index,
    ),
  ];
}

function pooling(): Case[] {
  const x = distinct([2, 3, 8, 8], 21);
  const odd = distinct([1, 2, 9, 7], 22);
  const window = { kernelSize: 3, stride: 2, padding: 1 };
  return [
    differentiable(
      'maxPool2d',
      (v) => maxPool2d(v, { kernelSize: 2 }),
      (v) => reference.maxPool2d(v, { kernelSize: 2 }),
      x,
    ),
    differentiable(
      'maxPool2d',
      (v) => maxPool2d(v, window),
      (v) => reference.maxPool2d(v, window),
      odd,
    ),
    differentiable(
      'avgPool2d',
      (v) => avgPool2d(v, window),
      (v) => reference.avgPool2d(v, window),
      odd,
    ),
    differentiable(
      'adaptiveAvgPool2d',
      (v) => adaptiveAvgPool2d(v, [2, 3]),
      (v) => reference.adaptiveAvgPool2d(v, [2, 3]),
      odd,
    ),
  ];
}

/** Random streams that start at an offset, also beyond 2^32. */
function sampling(): Case[] {
  const seed = 20_061_024;
  const shape = [3, 70];
  const from = 4 * 1000;
  const at = (offset = from): { generator: Generator } => ({ generator: Generator.from({ seed, offset }) });
  const x = sample(shape, 31);
  return [
    known(
      'randomBits',
      () => randomBits(shape, at()),
      () => reference.randomBits(shape, seed, from),
    ),
    known(
      'randomBits',
      () => randomBits(shape, at(2 ** 35 - 64)),
      () => reference.randomBits(shape, seed, 2 ** 35 - 64),
    ),
    known(
      'rand',
      () => rand(shape, at()),
      () => reference.rand(shape, seed, from),
    ),
    known(
      'randn',
      () => randn(shape, at()),
      () => reference.randn(shape, seed, from),
    ),
    known(
      'randperm',
      () => randperm(40, at()),
      () => reference.values([40], [...at().generator.permutation(40)]),
    ),
    known(
      'bernoulli',
      () => bernoulli(shape, 0.3, at()),
      () => reference.bernoulli(shape, 0.3, seed, from),
    ),
    differentiable(
      'dropout',
      (v) => dropout(v, 0.25, at()),
      (v) => reference.dropout(v, 0.25, seed, from),
      x,
    ),
  ];
}

function creation(): Case[] {
  return [
    known(
      'tensor',
      () =>
        tensor([
          [1.5, -2],
          [0, 3],
        ]),
      () => reference.values([2, 2], [1.5, -2, 0, 3]),
    ),
    known(
      'zeros',
      () => zeros([5, 33]),
      () => reference.full([5, 33], 0),
    ),
    known(
      'ones',
      () => ones([5, 33]),
      () => reference.full([5, 33], 1),
    ),
    known(
      'full',
      () => full([5, 33], -1.5),
      () => reference.full([5, 33], -1.5),
    ),
    known(
      'arange',
      () => arange(2, 30, 1.5),
      () => reference.arange(2, 30, 1.5),
    ),
    known(
      'linspace',
      () => linspace(-1, 1, 9),
      () => reference.linspace(-1, 1, 9),
    ),
    known(
      'eye',
      () => eye(5, 7),
      () => reference.eye(5, 7),
    ),
  ];
}

/** Operations that move, select or create values. */
export function movement(): Case[] {
  return [...shapes(), ...arrangements(), ...indexing(), ...pooling(), ...sampling(), ...creation()];
}
