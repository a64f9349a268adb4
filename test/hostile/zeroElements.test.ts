import {
  adaptiveAvgPool2d,
  arange,
  cat,
  eye,
  linspace,
  type MienError,
  randn,
  randperm,
  ShapeError,
  tensor,
  ValueError,
  zeros,
} from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

type ErrorClass = new (message: string) => MienError;

/** Calls that would give a tensor without elements, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, ErrorClass, string]>> = {
  'tensor([])': [() => tensor([]), ShapeError, 'empty tensors are not supported'],
  'tensor([[]])': [() => tensor([[]]), ShapeError, 'empty tensors are not supported'],
  'zeros([2, 0])': [() => zeros([2, 0]), ShapeError, 'sizes must be positive integers, got [2, 0]'],
  'zeros([-1])': [() => zeros([-1]), ShapeError, 'sizes must be positive integers, got [-1]'],
  'zeros([1.5])': [() => zeros([1.5]), ShapeError, 'sizes must be positive integers, got [1.5]'],
  'randn([0])': [() => randn([0]), ShapeError, 'empty tensors are not supported'],
  'eye(0)': [() => eye(0), ShapeError, 'sizes must be positive integers, got [0, 0]'],
  'arange(3, 3)': [() => arange(3, 3), ValueError, 'got none from 3 to 3 by 1'],
  'arange(0, 3, -1)': [() => arange(0, 3, -1), ValueError, 'got none from 0 to 3 by -1'],
  'linspace(0, 1, 0)': [() => linspace(0, 1, 0), ValueError, 'count must be a positive integer, got 0'],
  'randperm(0)': [() => randperm(0), ValueError, 'n must be a positive integer, got 0'],
  'slice(0, 2, 2)': [
    () => zeros([3]).slice(0, 2, 2),
    ShapeError,
    'slice: expected at least one element, got 2..2 of dim 0 (x [3])',
  ],
  'reshape([0, -1])': [
    () => zeros([3]).reshape([0, -1]),
    ShapeError,
    'expected a shape of 3 elements for [3], got [0, -1]',
  ],
  'expand([0])': [() => zeros([1]).expand([0]), ShapeError, 'empty tensors are not supported'],
  'cat([])': [() => cat([]), ValueError, 'cat: expected at least one tensor'],
  'adaptiveAvgPool2d(0)': [
    () => adaptiveAvgPool2d(zeros([1, 1, 2, 2]), 0),
    ValueError,
    'size must be one or two integers of at least 1, got 0',
  ],
};

for (const [name, [call, error, message]] of Object.entries(cases)) {
  test(`${name} refuses to make a tensor without elements`, () => refuses(call, error, message));
}
