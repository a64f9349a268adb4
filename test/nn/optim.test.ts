import {
  Adam,
  AdamW,
  type Clip,
  clipGradNorm,
  clipGradValue,
  Linear,
  type Optimizer,
  SGD,
  StateError,
  toHost,
} from '@mien/nn';
import { ones, scope, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import { summed, type Values } from '@mien/tensor/reference';
import { ensure, near, nearValues, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const steps = 4;

const cases = fc.integer({ min: 1, max: 300 }).chain((size) =>
  fc.record({
    start: valuesOf([size]),
    gradients: fc.tuple(...Array.from({ length: steps }, () => valuesOf([size]))),
    lr: fc.constantFrom(0.1, 0.01),
    weightDecay: fc.constantFrom(0, 0.05),
    momentum: fc.constantFrom(0, 0.9),
    nesterov: fc.boolean(),
  }),
);

/** Steps with the given gradients; compares the parameter after each step with `next`, the definition in float64. */
async function follows(
  make: (p: Tensor) => Optimizer<{ readonly lr: number }>,
  start: Values,
  gradients: readonly Values[],
  next: (p: number, g: number, i: number, t: number) => number,
): Promise<void> {
  const p = toTensor(start, { requiresGrad: true });
  using optimizer = make(p);
  const expected = Float64Array.from(start.data);
  for (const [t, gradient] of gradients.entries()) {
    p.grad = toTensor(gradient);
    optimizer.step();
    expected.forEach((value, i) => {
      expected[i] = next(value, gradient.data[i] as number, i, t + 1);
    });
    // Each step adds the rounding of about six operations.
    await near(p, summed({ shape: start.shape, data: expected }, 6 * (t + 1)));
  }
  p.dispose();
}

law('SGD equals its definition with momentum, Nesterov and weight decay', cases, async (c) => {
  const { start, gradients, lr, weightDecay, momentum } = c;
  const nesterov = c.nesterov && momentum > 0;
  const velocity = new Float64Array(start.data.length);
  await follows(
    (p) => new SGD([['p', p]], { lr, weightDecay, momentum, nesterov }),
    start,
    gradients,
    (p, gradient, i) => {
      const g = gradient + weightDecay * p;
      const v = momentum * (velocity[i] as number) + g;
      velocity[i] = v;
      return p - lr * (nesterov ? g + momentum * v : v);
    },
  );
});

for (const [name, Kind, decoupled] of [
  ['Adam', Adam, false],
  ['AdamW', AdamW, true],
] as const) {
  law(`${name} equals its definition`, cases, async ({ start, gradients, lr, weightDecay }) => {
    const m = new Float64Array(start.data.length);
    const s = new Float64Array(start.data.length);
    await follows(
      (p) => new Kind([['p', p]], { lr, weightDecay, betas: [0.8, 0.95], eps: 1e-3 }),
      start,
      gradients,
      (before, gradient, i, t) => {
        const p = decoupled ? before - lr * weightDecay * before : before;
        const g = decoupled ? gradient : gradient + weightDecay * p;
        m[i] = 0.8 * (m[i] as number) + 0.2 * g;
        s[i] = 0.95 * (s[i] as number) + 0.05 * g * g;
        const unbiased = Math.sqrt((s[i] as number) / (1 - 0.95 ** t));
        return p - (lr * ((m[i] as number) / (1 - 0.8 ** t))) / (unbiased + 1e-3);
      },
    );
  });
}

const manyParameters = fc
  .array(fc.record({ size: fc.constantFrom(1, 3, 4, 5, 64, 257, 1030), moves: fc.boolean(), decays: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  .chain((each) =>
    fc.record({
      each: fc.constant(each),
      start: fc.tuple(...each.map(({ size }) => valuesOf([size]))),
      gradients: fc.tuple(...each.map(({ size }) => valuesOf([size]))),
      clip: fc.constantFrom(null, { kind: 'value', limit: 0.5 } as const, { kind: 'norm', limit: 1 } as const),
      most: fc.constantFrom(1024, 4096, 2 ** 27),
    }),
  );

/** The definitions of clipGradValue and clipGradNorm. */
function clipped(gradients: readonly Values[], clip: Clip | null): readonly (readonly number[])[] {
  const norm = Math.hypot(...gradients.flatMap(({ data }) => [...data]));
  const bound = (g: number): number => {
    if (!clip) return g;
    const { kind, limit } = clip;
    return kind === 'value' ? Math.min(limit, Math.max(-limit, g)) : g * Math.min(1, limit / (norm + 1e-6));
  };
  return gradients.map(({ data }) => Array.from(data, bound));
}

/** With a large eps the update depends on the size of gradients, and so on clipping. */
const adam = { lr: 0.1, eps: 1 } as const;

for (const Kind of [SGD, AdamW]) {
  const name = Kind.name;
  law(
    `${name} updates many parameters of any sizes at once as it updates each alone, clipped or not`,
    manyParameters,
    ({ each, start, gradients, clip, most }) =>
      withLimits({ maxStorageBufferBindingSize: most }, async () => {
        const load = (values: readonly Values[]): readonly [string, Tensor][] =>
          values.map((value, i) => [`p${i}`, toTensor(value, { requiresGrad: true })]);
        const make = (parameters: readonly (readonly [string, Tensor])[]) => {
          const groups = [true, false].map((decays) => ({
            params: parameters.filter((_, i) => each[i]?.decays === decays),
            weightDecay: decays ? 0.1 : 0,
          }));
          return Kind === SGD ? new SGD(groups, { lr: 0.1, momentum: 0.9, nesterov: true }) : new AdamW(groups, adam);
        };
        const [together, alone] = [load(start), load(start)];
        using all = make(together);
        const single = alone.map((parameter, i) => {
          const options = { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: each[i]?.decays ? 0.1 : 0 };
          return Kind === SGD
            ? new SGD([parameter], options)
            : new AdamW([parameter], { ...adam, weightDecay: options.weightDecay });
        });
        const bounded = clipped(
          gradients.filter((_, i) => each[i]?.moves),
          clip,
        );
        for (let step = 0; step < 2; step++) {
          // The first step skips parameters without a gradient; the second updates all, with different step counts.
          const moves = each.map((one) => step > 0 || one.moves);
          const now = step > 0 ? clipped(gradients, clip) : bounded;
          const actual = now[Symbol.iterator]();
          for (const [i, gradient] of gradients.entries()) {
            const [a, b] = [together[i]?.[1] as Tensor, alone[i]?.[1] as Tensor];
            a.grad = moves[i] ? toTensor(gradient) : null;
            b.grad = moves[i] ? tensor(actual.next().value as number[]) : null;
          }
          all.step(clip);
          for (const optimizer of single) optimizer.step();
        }
        const terms = gradients.reduce((sum, { data }) => sum + data.length, 0);
        const values = (list: typeof alone) => Promise.all(list.map(([, parameter]) => parameter.data()));
        const [actual, expected] = await Promise.all([together, alone].map(values));
        for (const [i, each] of (actual as Float32Array[]).entries()) {
          nearValues(each, summed((expected as Float32Array[])[i] as Float32Array, terms));
        }
        for (const optimizer of single) optimizer.dispose();
        for (const [, parameter] of [...together, ...alone]) parameter.dispose();
      }),
  );
}

test('step with a clip does not change the gradients, and keeps NaN', async () => {
  const p = tensor([1, 1], { requiresGrad: true });
  p.grad = tensor([Number.NaN, 8]);
  using optimizer = new SGD([['p', p]], { lr: 0.5 });
  optimizer.step({ kind: 'value', limit: 2 });
  const [actual, gradient] = await Promise.all([p.data(), (p.grad as Tensor).data()]);
  ensure(actual.join() === 'NaN,0' && gradient.join() === 'NaN,8', `${actual} and ${gradient}`);
  refuses(() => optimizer.step({ kind: 'norm', limit: 0 }), ValueError, 'SGD.step: clip.limit must be positive, got 0');
});

test('step adds 1e-6 to the norm when it clips, as PyTorch does', async () => {
  const named = (p: Tensor): [string, Tensor][] => [['p', p]];
  for (const make of [
    (p: Tensor) => new SGD(named(p), { lr: 1 }),
    (p: Tensor) => new Adam(named(p), { ...adam, lr: 1 }),
  ]) {
    const p = zeros([1], { requiresGrad: true });
    p.grad = tensor([1e-6]);
    using optimizer = make(p);
    optimizer.step({ kind: 'norm', limit: 1e-6 });
    const [moved] = await p.data();
    ensure(Math.abs((moved as number) + 5e-7) < 1e-11, `${optimizer.constructor.name} moves by ${moved}`);
  }
});

test('one NaN gradient makes every parameter NaN in a step that is clipped by norm, as in PyTorch', async () => {
  for (const make of [
    (named: [string, Tensor][]) => new SGD(named, { lr: 1 }),
    (named: [string, Tensor][]) => new SGD(named, { lr: 1, momentum: 0.9, nesterov: true }),
    (named: [string, Tensor][]) => new Adam(named, { lr: 1 }),
    (named: [string, Tensor][]) => new AdamW(named, { lr: 1 }),
  ]) {
    for (const outside of [false, true]) {
      const [p, q] = [tensor([1], { requiresGrad: true }), tensor([1, 2], { requiresGrad: true })];
      p.grad = tensor([Number.NaN]);
      q.grad = tensor([3, 4]);
      using optimizer = make([
        ['p', p],
        ['q', q],
      ]);
      if (outside) clipGradNorm([p, q], 1);
      optimizer.step(outside ? null : { kind: 'norm', limit: 1 });
      const [first, second] = await Promise.all([p.data(), q.data()]);
      ensure([...first, ...second].every(Number.isNaN), `${optimizer.constructor.name}: ${first} and ${second}`);
    }
  }
});

test('step updates two parameters that share memory one after the other', async () => {
  const whole = ones([4]);
  const [a, b] = [whole, whole].map((each) => each.detach({ requiresGrad: true })) as [Tensor, Tensor];
  using optimizer = new SGD(
    [
      ['a', a],
      ['b', b],
    ],
    { lr: 0.25 },
  );
  for (const p of [a, b]) p.grad = ones([4]);
  optimizer.step();
  const actual = await whole.data();
  ensure(actual.join() === '0.5,0.5,0.5,0.5', actual.join());
});

test('groups of an optimizer have their own options, and lrFactor scales every group', async () => {
  const [a, b, c] = [1, 2, 3].map(() => ones([2], { requiresGrad: true })) as [Tensor, Tensor, Tensor];
  const groups = [
    { params: [['a', a]] as const },
    {
      params: [
        ['b', b],
        ['c', c],
      ] as const,
      lr: 0.5,
    },
  ];
  using optimizer = new SGD(groups, { lr: 0.25 });
  optimizer.lrFactor = 0.5;
  for (const p of [a, b]) p.grad = ones([2]);
  optimizer.step();
  const values = await Promise.all([a, b, c].map((p) => p.data()));
  ensure(values.join(' ') === '0.875,0.875 0.75,0.75 1,1', values.join(' '));
  optimizer.zeroGrad();
  ensure(a.grad === null && b.grad === null, 'a gradient is left');
});

const makers = {
  SGD: (p: Linear) => new SGD(p.namedParameters(), { lr: 0.1, momentum: 0.9 }),
  AdamW: (p: Linear) => new AdamW(p.namedParameters(), { lr: 0.1 }),
} as const;

const slots = {
  SGD: 'weight.momentum_buffer bias.momentum_buffer',
  AdamW: 'weight.exp_avg weight.exp_avg_sq weight.step bias.exp_avg bias.exp_avg_sq bias.step',
} as const;

for (const name of ['SGD', 'AdamW'] as const) {
  test(`${name} resumes exactly from a saved state`, async () => {
    using whole = new Linear(3, 5);
    using first = makers[name](whole);
    const x = tensor([[1, -2, 0.5]]);
    const advance = (layer: Linear, optimizer: Optimizer<{ readonly lr: number }>): void =>
      scope(() => {
        layer.forward(x).square().sum().backward();
        optimizer.step();
        optimizer.zeroGrad();
      });
    for (let i = 0; i < 3; i++) advance(whole, first);
    using copy = new Linear(3, 5);
    using second = makers[name](copy);
    copy.loadStateDict(whole.stateDict());
    const saved = await toHost(first.stateDict());
    ensure([...saved.keys()].join(' ') === slots[name], [...saved.keys()].join(' '));
    second.loadStateDict(saved);
    for (let i = 0; i < 3; i++)
      for (const [layer, optimizer] of [
        [whole, first],
        [copy, second],
      ] as const)
        advance(layer, optimizer);
    const [a, b] = await Promise.all([whole.weight.data(), copy.weight.data()]);
    ensure(a.join() === b.join(), `${a} is not ${b}`);
  });
}

test('optimizers refuse a state of other parameters, other shapes or another optimizer', () => {
  using layer = new Linear(2, 1);
  using sgd = makers.SGD(layer);
  using adam = makers.AdamW(layer);
  const wrong = new Map([['weight.momentum_buffer', zeros([2])]]);
  refuses(
    () => sgd.loadStateDict(wrong),
    StateError,
    'weight.momentum_buffer: expected float32 [1, 2], got float32 [2]',
  );
  refuses(
    () => sgd.loadStateDict(new Map([['w.momentum_buffer', zeros([2])]])),
    StateError,
    'unexpected w.momentum_buffer',
  );
  refuses(
    () => adam.loadStateDict(new Map([['bias.exp_avg', zeros([1])]])),
    StateError,
    'bias.exp_avg_sq: expected float32 [1], got nothing',
  );
});

test('optimizers refuse options out of range', () => {
  using layer = new Linear(2, 1);
  const parameters = layer.namedParameters();
  refuses(() => new SGD(parameters, { lr: -1 }), ValueError, 'SGD: expected 0 <= lr < Infinity, got -1');
  refuses(() => new SGD(parameters, { lr: 1, nesterov: true }), ValueError, 'nesterov requires momentum');
  refuses(() => new Adam(parameters, { betas: [0.9, 1] }), ValueError, 'Adam: expected 0 <= betas < 1, got 1');
  refuses(
    () => new SGD([...parameters, ...parameters], { lr: 1 }),
    ValueError,
    'names must be distinct, got weight twice',
  );
  refuses(() => new SGD([], { lr: 1 }), ValueError, 'SGD: expected at least one parameter, got none');
});

law('clipGradValue clamps every element', cases, async ({ start }) => {
  const p = toTensor(start, { requiresGrad: true });
  p.grad = toTensor(start);
  clipGradValue([p], 0.5);
  const actual = await (p.grad as Tensor).data();
  nearValues(
    actual,
    start.data.map((value) => Math.min(0.5, Math.max(-0.5, value))),
  );
  p.dispose();
});

law('clipGradNorm scales all gradients by one factor and returns the norm', cases, async ({ gradients }) => {
  const parameters = gradients.map((gradient) => {
    const p = toTensor(gradient, { requiresGrad: true });
    p.grad = toTensor(gradient);
    return p;
  });
  const terms = gradients.length * (gradients[0]?.data.length ?? 1);
  const norm = Math.hypot(...gradients.flatMap(({ data }) => [...data]));
  for (const maximum of [norm / 2, norm * 2]) {
    const before = await clipGradNorm(parameters, maximum).item();
    nearValues([before], summed([norm], terms));
    const factor = Math.min(1, maximum / (norm + 1e-6));
    for (const [i, p] of parameters.entries()) {
      const expected = (gradients[i] as Values).data.map((g) => g * factor);
      nearValues(await (p.grad as Tensor).data(), summed(expected, terms));
      p.grad = toTensor(gradients[i] as Values);
    }
  }
  for (const p of parameters) p.dispose();
});

test('clipGradNorm sums the squares of gradients that take many workgroups', async () => {
  const sizes = [70_001, 5, 33_333];
  const parameters = sizes.map((size) => {
    const p = zeros([size], { requiresGrad: true });
    p.grad = ones([size]);
    return p;
  });
  const norm = await clipGradNorm(parameters, 1).item();
  const expected = Math.sqrt(sizes.reduce((sum, size) => sum + size, 0));
  nearValues([norm], [expected]);
  for (const p of parameters) p.dispose();
});
