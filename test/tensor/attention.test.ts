import {
  capture,
  DtypeError,
  Generator,
  ones,
  ShapeError,
  scaledDotProductAttention,
  type Tensor,
  tensor,
  ValueError,
} from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;

interface Sizes {
  readonly lead: readonly number[];
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  readonly values: number;
}

const sizes = (most: number): fc.Arbitrary<Sizes> =>
  fc.record({
    lead: fc.constantFrom([], [1], [3], [2, 2]),
    queries: fc.integer({ min: 1, max: most }),
    keys: fc.integer({ min: 1, max: most }),
    width: fc.integer({ min: 1, max: 9 }),
    values: fc.integer({ min: 1, max: 7 }),
  });

const signed = { min: -2, max: 2 };
const inputs = ({ lead, queries, keys, width, values }: Sizes) =>
  fc.tuple(
    valuesOf([...lead, queries, width], signed),
    valuesOf([...lead, keys, width], signed),
    valuesOf([...lead, keys, values], signed),
  );

/** A mask, bool or added, in which every query has its first key, of a shape that is broadcast to the scores. */
const masks = ({ lead, queries, keys }: Sizes) =>
  fc
    .constantFrom([queries, keys], [1, keys], [...lead, queries, keys], [...lead.map(() => 1), queries, 1])
    .chain((shape) =>
      fc.record({
        added: fc.boolean(),
        numbers: valuesOf(shape, signed),
      }),
    )
    .map(({ added, numbers }) => {
      if (added) return { mask: numbers, added };
      const columns = numbers.shape.at(-1) as number;
      return { mask: { ...numbers, data: numbers.data.map((v, i) => Number(i % columns === 0 || v > 0)) }, added };
    });

type Masked = { readonly mask: Values; readonly added: boolean } | null;

const maskTensor = (masked: Masked): Tensor | null =>
  masked && toTensor(masked.mask, { dtype: masked.added ? 'float32' : 'bool' });

const cases = (most: number) =>
  sizes(most).chain((size) =>
    fc.record({
      inputs: inputs(size),
      masked: fc.option(masks(size), { nil: null }),
      isCausal: fc.boolean(),
      scale: fc.option(fc.constantFrom(0.5, 1), { nil: undefined }),
    }),
  );

type Case = ReturnType<typeof cases> extends fc.Arbitrary<infer C> ? C : never;
type Inputs = [Values, Values, Values];

/** The operation and its reference with the options of a case. */
function both({ masked, isCausal, scale }: Pick<Case, 'masked' | 'isCausal' | 'scale'>) {
  const scaled = scale === undefined ? {} : { scale };
  const causal = isCausal && !masked;
  const attnMask = maskTensor(masked);
  return [
    (q: Tensor, k: Tensor, v: Tensor) => scaledDotProductAttention(q, k, v, { attnMask, isCausal: causal, ...scaled }),
    (q: Values, k: Values, v: Values) =>
      reference.scaledDotProductAttention(q, k, v, { ...masked, isCausal: causal, ...scaled }),
  ] as const;
}

law('scaledDotProductAttention equals its reference with any mask, causal or none', cases(40), async (c) => {
  const [op, definition] = both(c);
  const [q, k, v] = c.inputs;
  await near(op(toTensor(q), toTensor(k), toTensor(v)), definition(q, k, v));
});

law('the gradient of scaledDotProductAttention is the derivative of its reference', cases(9), (c) => {
  const [op, definition] = both(c);
  return gradcheck(op as never, definition as never, c.inputs as Inputs);
});

law(
  'the second derivative of scaledDotProductAttention is that of its reference',
  fc.record({
    inputs: inputs({ lead: [2], queries: 2, keys: 3, width: 2, values: 1 }),
    masked: fc.option(masks({ lead: [2], queries: 2, keys: 3, width: 2, values: 1 }), { nil: null }),
    isCausal: fc.boolean(),
    scale: fc.constant(undefined),
  }),
  (c) => {
    const [op, definition] = both(c);
    return gradgradcheck(op as never, definition as never, c.inputs as Inputs);
  },
  { runs: 8 },
);

law(
  'scaledDotProductAttention has a gradient by an added mask: the derivative of its reference',
  fc.tuple(
    valuesOf([2, 3, 4], signed),
    valuesOf([2, 5, 4], signed),
    valuesOf([2, 5, 2], signed),
    valuesOf([3, 5], signed),
  ),
  (inputs) =>
    gradcheck(
      (q, k, v, attnMask = null as never) =>
        scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { attnMask }),
      (q, k, v, mask = null as never) =>
        reference.scaledDotProductAttention(q as Values, k as Values, v as Values, { mask, added: true }),
      inputs,
    ),
  { runs: 8 },
);

law(
  'scaledDotProductAttention is causal in parts that fit a binding and in grids with idle workgroups',
  inputs({ lead: [30], queries: 16, keys: 16, width: 16, values: 16 }),
  (c) =>
    withLimits({ maxStorageBufferBindingSize: 6400, maxComputeWorkgroupsPerDimension: 5 }, async () => {
      const [op, definition] = both({ masked: null, isCausal: true, scale: undefined });
      const [q, k, v] = c;
      await near(op(toTensor(q), toTensor(k), toTensor(v)), definition(q, k, v));
    }),
  { runs: 4 },
);

test('scaledDotProductAttention broadcasts the heads of key and value', async () => {
  const q = reference.build([2, 3, 4, 2], (at) => Math.sin(at.reduce((sum, i, dim) => sum + (dim + 1) * i, 0)));
  const k = reference.build([1, 5, 2], (at) => Math.cos(at.reduce((sum, i, dim) => sum + (dim + 2) * i, 0)));
  const y = scaledDotProductAttention(toTensor(q), toTensor(k), toTensor(k));
  await near(y, reference.scaledDotProductAttention(q, k, k));
});

test('scaledDotProductAttention gives NaN for a query whose keys are all masked, and for no other', async () => {
  const x = ones([2, 3]);
  const attnMask = tensor([
    [true, false],
    [false, false],
  ]);
  const added = tensor([
    [0, Number.NEGATIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ]);
  for (const mask of [attnMask, added]) {
    const data = await scaledDotProductAttention(x, x, x, { attnMask: mask }).data();
    ensure(data.slice(0, 3).every((v) => v === 1) && data.slice(3).every(Number.isNaN), `got ${data}`);
  }
});

test('scaledDotProductAttention with a mask gives excluded keys no weight, however large their values and gradients', async () => {
  const [q, k] = [
    ones([1, 2]),
    tensor(
      [
        [1, 1],
        [900, 900],
      ],
      { requiresGrad: true },
    ),
  ];
  const v = tensor([[2], [1e30]], { requiresGrad: true });
  const y = scaledDotProductAttention(q, k, v, { attnMask: tensor([[true, false]]) });
  ensure((await y.item()) === 2, 'only the first value counts');
  y.backward();
  ensure((await (v.grad as Tensor).data()).join() === '1,0', 'only the first value has a gradient');
  ensure(
    (await (k.grad as Tensor).data()).every((slope) => slope === 0),
    'one weight of 1 has no slope',
  );
});

test('scaledDotProductAttention drops weights and scales the others, the same ones in its gradient', async () => {
  const [q, k] = [ones([1, 4]), ones([400, 4])];
  const v = ones([400, 1], { requiresGrad: true });
  const y = scaledDotProductAttention(q, k, v, { dropout: 0.25, generator: new Generator(3) });
  const value = await y.item();
  ensure(Math.abs(value - 1) < 0.2 && value !== 1, `the mean of the values is ${value}`);
  y.backward();
  const slopes = Float64Array.from(await (v.grad as Tensor).data());
  const dropped = slopes.filter((slope) => slope === 0).length;
  ensure(dropped > 60 && dropped < 140, `${dropped} of 400 were dropped`);
  const total = slopes.reduce((sum, slope) => sum + slope, 0);
  ensure(Math.abs(total - value) < 1e-5, `the gradient adds up to ${total}, the result is ${value}`);
});

test('scaledDotProductAttention can be captured, causal and with a mask', async () => {
  const attend = (x: Tensor) => scaledDotProductAttention(x, x, x, { isCausal: true });
  using captured = capture(attend);
  for (let i = 0; i < 4; i++) {
    const x = ones([3, 2]).mul(i);
    await near(captured.run(x), { shape: [3, 2], data: Float64Array.from(await attend(x).data()) });
  }
  ensure(captured.replays, 'it replays');
});

test('scaledDotProductAttention refuses shapes and options that do not match', () => {
  const [q, k] = [ones([2, 3]), ones([4, 5])];
  refuses(
    () => scaledDotProductAttention(q, k, k),
    ShapeError,
    'scaledDotProductAttention: expected query [..., L, E], key [..., S, E] and value [..., S, Ev], got query [2, 3], key [4, 5], value [4, 5]',
  );
  refuses(() => scaledDotProductAttention(q, q, ones([3])), ShapeError, 'expected value of at least two dimensions');
  refuses(() => scaledDotProductAttention(q, q, ones([1, 3])), ShapeError, 'value [1, 3]');
  const attnMask = ones([2, 2, 2]);
  refuses(
    () => scaledDotProductAttention(q, q, q, { attnMask }),
    ShapeError,
    'expected attnMask broadcast to the scores [2, 2], got [2, 2, 2]',
  );
  refuses(() => scaledDotProductAttention(q, q, q, { attnMask: attnMask.to('int32') }), DtypeError, 'attnMask');
  const mask = ones([2, 2]);
  refuses(
    () => scaledDotProductAttention(q, q, q, { attnMask: mask, isCausal: true }),
    ValueError,
    'expected attnMask or isCausal, got both',
  );
  refuses(() => scaledDotProductAttention(q, q, q, { dropout: 2 }), ValueError, 'dropout must be a number from 0 to 1');
});
