import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Flatten,
  type FusedForward,
  GELU,
  Identity,
  type Layer,
  LeakyReLU,
  Linear,
  MaxPool2d,
  Module,
  parameter,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Tanh,
  Unflatten,
} from '@mien/nn';
import {
  assign,
  type Epilogue,
  Generator,
  linear,
  memory,
  noGrad,
  ones,
  profile,
  randn,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, nearValues, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const linearCases = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 7 }),
);

law(
  'Linear and its gradients equal x W^T + b',
  linearCases.chain(([n, inputs, outputs]) =>
    fc.record({ x: valuesOf([n, inputs]), w: valuesOf([outputs, inputs]), b: valuesOf([outputs]) }),
  ),
  async ({ x, w, b }) => {
    const [outputs, inputs] = w.shape as [number, number];
    using layer = new Linear(inputs, outputs);
    layer.loadStateDict(
      new Map([
        ['weight', toTensor(w)],
        ['bias', toTensor(b)],
      ]),
    );
    const n = x.shape[0] as number;
    const given = toTensor(x, { requiresGrad: true });
    const y = layer.forward(given);
    await near(y, reference.linear(x, w, b));
    y.sum().backward();
    const columns = Float64Array.from({ length: inputs }, (_, k) => {
      let sum = 0;
      for (let o = 0; o < outputs; o++) sum += w.data[o * inputs + k] as number;
      return sum;
    });
    nearValues(
      (await given.grad?.data()) ?? [],
      reference.summed(
        Float64Array.from({ length: n * inputs }, (_, i) => columns[i % inputs] as number),
        outputs,
      ),
    );
    nearValues(
      (await layer.bias?.grad?.data()) ?? [],
      Float64Array.from({ length: outputs }, () => n),
    );
  },
);

const shapesOf: Readonly<Record<string, readonly [layer: () => Layer, input: readonly number[], output: string]>> = {
  Conv2d: [() => new Conv2d(2, 4, [3, 1], { stride: 2, padding: [1, 0], groups: 2 }), [1, 2, 5, 5], '1,4,3,3'],
  ConvTranspose2d: [() => new ConvTranspose2d(2, 3, 2, { stride: 2 }), [1, 2, 3, 4], '1,3,6,8'],
  MaxPool2d: [() => new MaxPool2d(2), [1, 2, 5, 4], '1,2,2,2'],
  AvgPool2d: [() => new AvgPool2d(3, { stride: 1, padding: 1 }), [1, 2, 5, 4], '1,2,5,4'],
  AdaptiveAvgPool2d: [() => new AdaptiveAvgPool2d([1, 2]), [2, 3, 5, 4], '2,3,1,2'],
  Flatten: [() => new Flatten(), [2, 3, 5, 4], '2,60'],
  'Flatten of two dimensions': [() => new Flatten(1, 2), [2, 3, 5, 4], '2,15,4'],
  Unflatten: [() => new Unflatten(1, [3, -1]), [2, 12], '2,3,4'],
  Identity: [() => new Identity(), [2, 3], '2,3'],
  'an empty Sequential': [() => new Sequential(), [2, 3], '2,3'],
  Sequential: [() => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 5)), [2, 3], '2,5'],
};

for (const [name, [make, input, output]] of Object.entries(shapesOf)) {
  test(`${name} maps [${input}] to [${output}] and its gradient back`, () => {
    using layer = make();
    const x = zeros(input, { requiresGrad: true });
    const y = layer.forward(x);
    ensure(y.shape.join() === output, `got [${y.shape}]`);
    y.sum().backward();
    ensure(x.grad?.shape.join() === input.join(), `the gradient is [${x.grad?.shape}]`);
    for (const [parameter, { grad }] of layer.namedParameters()) ensure(grad !== null, `${parameter} has no gradient`);
  });
}

law(
  'Sequential equals its layers one after another, fused or not: value, gradients and statistics',
  fc.record({
    x: valuesOf([3, 2, 4, 3]),
    residual: fc.option(valuesOf([3, 2, 4, 3]), { nil: null }),
    relu: fc.boolean(),
  }),
  async ({ x, residual, relu }) => {
    const make = () => [new BatchNorm2d(2), new ReLU(), new Sequential(new Tanh(), new BatchNorm2d(2))];
    const [chained, apart] = [make(), make()];
    const epilogue = { relu, ...(residual ? { residual: toTensor(residual) } : {}) };
    const [a, b] = [toTensor(x, { requiresGrad: true }), toTensor(x, { requiresGrad: true })];
    const y = new Sequential(...chained).forward(a, epilogue);
    const plain = apart.reduce((input, layer) => layer.forward(input), b);
    const sum = epilogue.residual ? plain.add(epilogue.residual) : plain;
    const wanted = relu ? sum.relu() : sum;
    y.square().sum().backward();
    wanted.square().sum().backward();
    const pairs = [
      [y, wanted],
      [a.grad, b.grad],
      ...chained.flatMap((layer, i) =>
        [...layer.stateDict()].map(([name, own]) => [own, apart[i]?.stateDict().get(name)] as const),
      ),
    ] as readonly (readonly [Tensor, Tensor])[];
    for (const [actual, expected] of pairs) {
      const { shape } = expected;
      await near(actual, reference.summed({ shape, data: Float64Array.from(await expected.data()) }, 72));
    }
  },
);

law(
  'Sequential in evaluation without gradients, where convolution and normalization are fused, equals that with gradients',
  fc.record({
    x: valuesOf([3, 2, 5, 4]),
    state: fc.array(valuesOf([6], { min: 0.5, max: 2 }), { minLength: 12, maxLength: 12 }),
    residual: fc.option(valuesOf([3, 6, 5, 4]), { nil: null }),
    relu: fc.boolean(),
  }),
  async ({ x, state, residual, relu }) => {
    const layers = [new Conv2d(2, 6, 3, { padding: 1 }), new BatchNorm2d(6), new ReLU()];
    const last = [new Conv2d(6, 6, 3, { padding: 1, groups: 6, bias: false }), new BatchNorm2d(6)];
    using net = new Sequential(...layers, new Sequential(...last)).eval();
    const vectors = [...net.stateDict().values()].filter(({ shape }) => shape.join() === '6');
    for (const [i, vector] of vectors.entries()) assign(vector, toTensor(state[i] as reference.Values));
    const epilogue = { relu, ...(residual ? { residual: toTensor(residual) } : {}) };
    const [once, apart] = [noGrad(() => net.forward(toTensor(x), epilogue)), net.forward(toTensor(x), epilogue)];
    ensure(!once.requiresGrad && apart.requiresGrad, 'only what may have gradients requires them');
    await near(once, reference.summed({ shape: apart.shape, data: Float64Array.from(await apart.data()) }, 18 + 9));
  },
);

law(
  'Sequential with ReLU fused into a convolution or linear layer equals its layers one after another: value and gradients',
  valuesOf([3, 2, 5, 4]),
  async (x) => {
    const generator = (): Generator => new Generator(5);
    const make = () => [
      new Conv2d(2, 3, 3, { generator: generator() }),
      new ReLU(),
      new Flatten(),
      new Linear(18, 4, { generator: generator() }),
      new ReLU(),
    ];
    const [chained, apart] = [make(), make()];
    const [y, wanted] = [
      new Sequential(...chained).forward(toTensor(x)),
      apart.reduce((v, l) => l.forward(v), toTensor(x)),
    ];
    for (const each of [y, wanted]) each.square().sum().backward();
    const gradients = (layers: readonly Layer[]) =>
      layers.flatMap((l) => l.parameters().map(({ grad }) => grad as Tensor));
    const expected = [wanted, ...gradients(apart)];
    for (const [i, actual] of [y, ...gradients(chained)].entries()) {
      const { shape } = actual;
      const data = Float64Array.from(await (expected[i] as Tensor).data());
      await near(actual, reference.summed({ shape, data }, 60));
    }
  },
);

class Doubled extends ReLU {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

/** A layer as users write it: y = 2 x weight^T, with ReLU in the same pass. */
class DoubledLinear extends Module {
  readonly weight: Tensor = parameter(randn([4, 3], { generator: new Generator(6) }));

  forward(x: Tensor, options: { readonly relu?: boolean } = {}): Tensor {
    return linear(x.mul(2), this.weight, null, options);
  }

  fuse({ norm, residual, relu = false }: Epilogue): FusedForward | null {
    return norm || residual ? null : (x) => this.forward(x, { relu });
  }
}

/** An activation as users write it, which is ReLU while `on`. */
class Switched extends Module {
  on = true;

  forward(x: Tensor): Tensor {
    return this.on ? x.relu() : x;
  }

  asEpilogue(): Epilogue {
    return { relu: this.on };
  }
}

test("Sequential fuses users' layers by the same protocol, with the same bits", async () => {
  const x = randn([5, 3], { generator: new Generator(7) });
  const [first, activation, norm] = [new DoubledLinear(), new Switched(), new BatchNorm1d(4).eval()];
  const saved = async (...layers: readonly Layer[]): Promise<number> => {
    const fused = await profile(() => new Sequential(...layers).forward(x));
    const apart = await profile(() => layers.reduce((v, layer) => layer.forward(v), x));
    ensure((await fused.result.data()).join() === (await apart.result.data()).join(), 'the values differ in bits');
    return apart.spans.length - fused.spans.length;
  };
  ensure((await saved(first, activation)) === 1, 'ReLU is not in the pass of the product');
  ensure((await saved(first, new ReLU())) === 1, 'ReLU is not in the pass of the product');
  ensure((await saved(new BatchNorm1d(3).eval(), activation)) === 1, 'ReLU is not in the pass of the normalization');
  ensure((await saved(first, norm, activation)) === 1, 'the product cannot fuse a normalization, which can fuse ReLU');
  activation.on = false;
  ensure((await saved(first, activation)) === 0, 'an epilogue without parts has no pass');
});

test('Sequential ignores an inherited fuse or asEpilogue where forward was overridden', async () => {
  class Negated extends DoubledLinear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).neg();
    }
  }
  const replaced = new DoubledLinear();
  replaced.forward = (x) => x.mul(3);
  const x = tensor([[1, -2, 3]]);
  for (const layer of [new Negated(), replaced]) {
    const actual = await new Sequential(layer, new ReLU()).forward(x).data();
    const expected = await layer.forward(x).relu().data();
    ensure(actual.join() === expected.join(), `${actual.join()}, expected ${expected.join()}`);
  }
});

test('Sequential does not fuse a subclass of ReLU that overrides forward', async () => {
  const x = tensor([
    [1, -1],
    [3, 5],
    [-4, -4],
  ]);
  const norm = new BatchNorm1d(2, { eps: 0 });
  const y = new Sequential(norm, new Doubled()).eval().forward(x);
  await near(y, { shape: [3, 2], data: Float64Array.from([2, -2, 6, 10, -8, -8]) });
});

test('Sequential fuses a layer whose forward was replaced and deleted again', async () => {
  const convolution = new Conv2d(2, 3, 1);
  using net = new Sequential(convolution, new BatchNorm2d(3)).eval();
  const x = randn([1, 2, 4, 4]);
  const passes = async (): Promise<number> => {
    const { spans } = await profile(async () => void (await scope(() => noGrad(() => net.forward(x))).data()));
    return spans.filter(({ kernel }) => kernel.startsWith('normalize')).length;
  };
  const before = await passes();
  const { forward } = convolution;
  convolution.forward = (v) => forward.call(convolution, v);
  ensure((await passes()) > before, 'expected a pass of its own for the normalization');
  Reflect.deleteProperty(convolution, 'forward');
  ensure((await passes()) === before, 'expected the fused pass again');
});

test('Sequential frees intermediate results as soon as they are used', () => {
  const x = zeros([1000]);
  const before = memory();
  currentDevice().pool.peakBytes = before.liveBytes;
  const y = new Sequential(...Array.from({ length: 8 }, () => new Tanh())).forward(x);
  const { liveBytes, peakBytes } = memory();
  ensure(
    liveBytes - before.liveBytes === 4096,
    `${liveBytes - before.liveBytes} bytes are left, expected the result's`,
  );
  ensure(
    peakBytes - before.liveBytes <= 2 * 4096,
    `at one time ${peakBytes - before.liveBytes} bytes, expected two results`,
  );
  y.dispose();
  x.dispose();
});

const activations: Readonly<Record<string, readonly [make: () => Layer, f: (x: number) => number]>> = {
  ReLU: [() => new ReLU(), (x) => Math.max(x, 0)],
  LeakyReLU: [() => new LeakyReLU(0.25), (x) => Math.max(x, 0.25 * x)],
  Sigmoid: [() => new Sigmoid(), (x) => 1 / (1 + Math.exp(-x))],
  Tanh: [() => new Tanh(), Math.tanh],
  SiLU: [() => new SiLU(), (x) => x / (1 + Math.exp(-x))],
};

for (const [name, [make, f]] of Object.entries(activations)) {
  law(`${name} is its formula`, valuesOf([37], { min: -6, max: 6 }), async (x) => {
    await near(make().forward(toTensor(x)), { shape: x.shape, data: x.data.map(f) });
  });
}

test('GELU of 1 is the normal distribution function of 1', async () => {
  nearValues([await new GELU().forward(ones([])).item()], [0.8413447460685429]);
});

const batches = fc.tuple(
  fc.integer({ min: 2, max: 4 }),
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 3 }),
);

law(
  'BatchNorm2d normalizes in training, keeps unbiased statistics, and evaluates with them',
  batches.chain(([n, c, side]) =>
    fc.record({ x: valuesOf([n, c, side, side]), gain: valuesOf([c], { min: 0.5, max: 2 }) }),
  ),
  async ({ x, gain }) => {
    const c = x.shape[1] as number;
    using layer = new BatchNorm2d(c, { momentum: 0.25, eps: 1e-2 });
    layer.loadStateDict(new Map([['weight', toTensor(gain)]]), { strict: false });
    const [runningMean, runningVar] = [reference.full([c], 0), reference.full([c], 1)];
    const given = { weight: gain, bias: null, runningMean, runningVar, training: true, momentum: 0.25, eps: 1e-2 };
    await near(layer.forward(toTensor(x)), reference.batchNorm(x, given));
    const after = reference.runningStatistics(x, given);
    await near(layer.runningMean, after.mean);
    await near(layer.runningVar, after.variance);
    layer.eval();
    const [mean, variance] = await Promise.all([layer.runningMean.data(), layer.runningVar.data()]);
    const known = { runningMean: reference.values([c], mean), runningVar: reference.values([c], variance) };
    await near(layer.forward(toTensor(x)), reference.batchNorm(x, { ...given, ...known, training: false }));
    ensure((await layer.numBatchesTracked.item()) === 1, 'evaluation was counted as a batch');
  },
);

law('BatchNorm1d has the gradient of its definition, squared', valuesOf([4, 3]), async (x) => {
  using layer = new BatchNorm1d(3, { eps: 0.5 });
  await gradcheck(
    (y) =>
      layer
        .forward(y)
        .square()
        .mul(tensor([1, -2, 0.5])),
    ({ shape, data }) => ({
      shape,
      data: data.map((value, i) => {
        const column = [0, 1, 2, 3].map((row) => data[row * 3 + (i % 3)] as number);
        const mean = column.reduce((sum, each) => sum + each, 0) / 4;
        const variance = column.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 4;
        return ((value - mean) ** 2 / (variance + 0.5)) * ([1, -2, 0.5][i % 3] as number);
      }),
    }),
    [x],
  );
});

test('Dropout drops in training only, and the same elements for one seed', async () => {
  const layers = [3, 3, 4].map((seed) => new Dropout(0.5, { generator: new Generator(seed) }));
  const [a, b, c] = await Promise.all(layers.map(async (layer) => [...(await layer.forward(ones([400])).data())]));
  ensure(a?.join() === b?.join() && a?.join() !== c?.join(), 'the seed does not decide');
  const kept = a?.filter((value) => value === 2).length ?? 0;
  ensure(
    kept > 150 && kept < 250 && a?.every((value) => value === 0 || value === 2) === true,
    `${kept} of 400 are kept`,
  );
  const x = ones([3]);
  ensure(layers[0]?.eval().forward(x) === x, 'evaluation is not the identity');
});

test('layers refuse inputs of other shapes and options out of range', () => {
  refuses(
    () => new Linear(3, 2).forward(zeros([2, 4])),
    ShapeError,
    'Linear: expected x [..., 3], got [2, 4]; check inFeatures or the previous layer',
  );
  refuses(
    () => new BatchNorm2d(2).forward(zeros([2, 2])),
    ShapeError,
    'BatchNorm2d: expected x of 4 dimensions, got [2, 2]',
  );
  refuses(() => new Dropout(1.5), ValueError, 'Dropout: p must be a number from 0 to 1, got 1.5');
});
