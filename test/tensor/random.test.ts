import {
  bernoulli,
  defaultGenerator,
  dropout,
  Generator,
  manualSeed,
  rand,
  randn,
  randomBits,
  randperm,
  type Tensor,
  ValueError,
} from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const seeds = fc.oneof(fc.nat(99), fc.maxSafeNat());
const cases = fc.record({ shape: shapes({ maxSize: 400 }), seed: seeds, skip: fc.nat(9) });

/** Options with a generator that has drawn some values. */
function after(seed: number, draws: number): { generator: Generator } {
  const generator = new Generator(seed);
  for (let i = 0; i < draws; i++) generator.uint32();
  return { generator };
}

/** The stream offset at which device operations continue after `draws` draws: the start of a block. */
const blockAfter = (draws: number): number => Math.ceil(draws / 4) * 4;

test('philox gives the known answers of Random123', () => {
  const hex = (words: readonly bigint[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
  ensure(hex(reference.philox(0n, 0n)) === '6627e8d5 e169c58d bc57ac4c 9b00dbd8', 'all zeros');
  const ones = (1n << 64n) - 1n;
  ensure(hex(reference.philox(ones, ones, ones)) === '408f276d 41c83b0e a20bc7c6 6d5451fd', 'all ones');
  const digits = hex(reference.philox(0x299f31d0a4093822n, 0x85a308d3243f6a88n, 0x0370734413198a2en));
  ensure(digits === 'd16cfe09 94fdcceb 5001e420 24126ea1', 'digits of pi');
});

law(
  'generator draws the words of the reference',
  fc.record({ seed: seeds, offset: fc.nat(1e6) }),
  ({ seed, offset }) => {
    const generator = Generator.from({ seed, offset });
    for (let i = 0; i < 9; i++) ensure(generator.uint32() === reference.word(seed, offset + i), `word ${i} differs`);
    ensure(generator.state().offset === offset + 9, 'expected the state to count words');
  },
);

law(
  'generator integers stay below their bound and permutations hold every number',
  fc.record({ seed: seeds, n: fc.integer({ min: 1, max: 300 }) }),
  ({ seed, n }) => {
    const generator = new Generator(seed);
    for (let i = 0; i < 20; i++) ensure(generator.integer(n) < n, 'expected integers below the bound');
    ensure(
      [...generator.permutation(n)].sort((a, b) => a - b).every((value, i) => value === i),
      'a number is missing',
    );
  },
);

law('randomBits, rand and bernoulli give the words of the reference exactly', cases, async ({ shape, seed, skip }) => {
  const from = blockAfter(skip);
  await near(randomBits(shape, after(seed, skip)), reference.randomBits(shape, seed, from));
  await near(rand(shape, after(seed, skip)), reference.rand(shape, seed, from));
  await near(bernoulli(shape, 0.3, after(seed, skip)), reference.bernoulli(shape, 0.3, seed, from));
});

law('randn gives the normals of the reference', cases, async ({ shape, seed, skip }) => {
  await near(randn(shape, after(seed, skip)), reference.randn(shape, seed, blockAfter(skip)));
});

test('bernoulli is true below its probability and not at it', async () => {
  const drawn = await rand([64], after(7, 0)).data();
  for (const [i, p] of drawn.entries()) {
    const actual = await bernoulli([64], p, after(7, 0)).data();
    ensure(!actual[i], `element ${i} drew ${p}, its probability, and is true`);
  }
});

law('random tensors are the same for any split', seeds, (seed) =>
  withLimits({ maxStorageBufferBindingSize: 1024 }, async () => {
    await near(rand([1000], after(seed, 0)), reference.rand([1000], seed));
  }),
);

law(
  'dropout equals its reference, gradient included',
  shapes({ maxSize: 400 }).chain((shape) =>
    fc.record({ x: valuesOf(shape), seed: seeds, p: fc.constantFrom(0.2, 0.5, 0.9) }),
  ),
  async ({ x, seed, p }) => {
    await near(dropout(toTensor(x), p, after(seed, 0)), reference.dropout(x, p, seed));
    await gradcheck(
      (v) => dropout(v, p, after(seed, 0)),
      (v) => reference.dropout(v, p, seed),
      [x],
    );
  },
);

test('dropout of several vec4 per thread equals its reference', async () => {
  const x = reference.build([3, 1667], ([row, column]) => (row as number) - (column as number) / 1000);
  await near(dropout(toTensor(x), 0.4, after(11, 0)), reference.dropout(x, 0.4, 11));
});

/** Streams that cross a multiple of 2^32 blocks, where the counter carries from its low to its high half. */
const carries = fc.record({
  seed: seeds,
  high: fc.constantFrom(1, 2, 3, 2 ** 16, 2 ** 18 + 1),
  before: fc.nat(40),
  size: fc.integer({ min: 1, max: 400 }),
});

law(
  'randomBits, rand, bernoulli and dropout carry from the low to the high half of the block number as the host does',
  carries,
  async ({ seed, high, before, size }) => {
    const offset = 4 * (high * 2 ** 32 - before);
    const from = () => ({ generator: Generator.from({ seed, offset }) });
    const host = Generator.from({ seed, offset });
    const words = Float64Array.from({ length: size }, () => host.uint32());
    ensure(words[0] === reference.word(seed, offset), 'expected the host to equal the reference');
    await near(randomBits([size], from()), reference.values([size], words));
    await near(rand([size], from()), reference.rand([size], seed, offset));
    await near(bernoulli([size], 0.3, from()), reference.bernoulli([size], 0.3, seed, offset));
    const x = reference.full([size], 3);
    await near(dropout(toTensor(x), 0.5, from()), reference.dropout(x, 0.5, seed, offset));
    await withLimits({ maxStorageBufferBindingSize: 256 }, async () => {
      await near(randomBits([size], from()), reference.values([size], words));
    });
  },
);

test('a block number past 2^32 gives different bits than its low half', async () => {
  const words = async (offset: number) =>
    (await randomBits([8], { generator: Generator.from({ seed: 5, offset }) }).data()).join();
  const actual = await Promise.all([0, 2 ** 34, 2 ** 35].map(words));
  ensure(new Set(actual).size === 3, actual.join(' and '));
});

test('manualSeed accepts a state: the default generator continues from there', async () => {
  manualSeed(11);
  rand([7]);
  const state = defaultGenerator().state();
  const undisturbed = await rand([9]).data();
  manualSeed(3);
  rand([100]);
  manualSeed(state);
  ensure((await rand([9]).data()).join() === undisturbed.join(), 'other numbers after the state was restored');
  manualSeed(0);
});

test('rand and randn have the moments of their distributions', async () => {
  const generator = new Generator(1);
  const uniform = rand([100_000], { generator });
  const normal = randn([100_000], { generator });
  ensure(Math.abs((await uniform.mean().item()) - 0.5) < 0.005, 'the mean of uniform values');
  ensure(Math.abs((await normal.mean().item()) - 0) < 0.015, 'the mean of normal values');
  ensure(Math.abs((await normal.variance().item()) - 1) < 0.02, 'the variance of normal values');
});

test('randperm holds every number once', async () => {
  const order = await randperm(1000, { generator: new Generator(3) }).data();
  ensure(new Set(order).size === 1000 && Math.max(...order) === 999, 'a number is missing');
});

test('dropout in evaluation returns x, and refuses p outside 0 to 1', () => {
  const x: Tensor = rand([3]);
  ensure(dropout(x, 0.5, { training: false }) === x, 'x itself');
  refuses(() => dropout(x, 1.5), ValueError, 'dropout: p must be a number from 0 to 1, got 1.5');
  refuses(() => new Generator(-1), ValueError, 'generator: seed must be an integer from 0');
});
