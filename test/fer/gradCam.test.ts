import {
  type CutNetwork,
  createNetwork,
  cutNetwork,
  drawFaces,
  ExpressionReader,
  explainFace,
  gradCam,
  MODELS,
  PIXELS,
  readTraining,
  split,
  Training,
  trainingConfig,
} from '@mien/fer';
import { Flatten, Linear } from '@mien/nn';
import { conv2d, device, Generator, noGrad, randn, ShapeError, scope, type Tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const tiny = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    side: fc.integer({ min: 3, max: 7 }),
    maps: fc.integer({ min: 1, max: 5 }),
    classes: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ n, side, maps, classes }) =>
    fc.record({
      x: valuesOf([n, 2, side, side]),
      kernel: valuesOf([maps, 2, 3, 3]),
      weight: valuesOf([classes, maps * side * side]),
      index: fc.nat(classes - 1),
    }),
  );

law('gradCam equals its definition on a convolution and a linear layer', tiny, async ({ x, kernel, weight, index }) => {
  const [n, , side] = x.shape as [number, number, number];
  const [maps] = kernel.shape as [number];
  const [kernels, weights] = [toTensor(kernel), toTensor(weight)];
  const net: CutNetwork = {
    body: (x) => conv2d(x, kernels, null, { padding: 1 }).relu(),
    head: (map) => map.reshape([n, maps * side * side]).matmul(weights.permute([1, 0])),
  };
  const planes = reference.relu(reference.conv2d(x, kernel, null, { padding: 1 }));
  const area = side * side;
  // The derivative of a linear layer by its input is its weight, so a[c] is the mean of a slice of it.
  const a = Array.from({ length: maps }, (_, c) => {
    const sum = new reference.Total();
    for (let i = 0; i < area; i++) sum.add(weight.data[(index * maps + c) * area + i] as number);
    return { value: sum.value / area, error: sum.error / area };
  });
  const errors = new Float64Array(n * area);
  const data = Float64Array.from({ length: n * area }, (_, i) => {
    const [sample, pixel] = [Math.floor(i / area), i % area];
    const sum = new reference.Total();
    for (let c = 0; c < maps; c++) {
      const k = (sample * maps + c) * area + pixel;
      sum.addProduct(a[c] as reference.Element, {
        value: planes.data[k] as number,
        error: planes.error?.[k] as number,
      });
    }
    errors[i] = sum.error;
    return Math.max(sum.value, 0);
  });
  const expected = reference.within({ shape: [n, side, side], data }, (_, i) => errors[i] as number);
  await near(gradCam(net, toTensor(x), index), expected);
});

test('gradCam refuses a class out of range and a body without a feature map', () => {
  const dense = new Linear(4, 2);
  const flatten = new Flatten();
  const net: CutNetwork = { body: (x) => x, head: (map) => dense.forward(flatten.forward(map)) };
  const x = randn([1, 1, 2, 2]);
  refuses(() => gradCam(net, x, 2), ValueError, 'expected a class from 0 to 1, got 2');
  refuses(() => gradCam({ ...net, body: (x) => x.reshape([1, 4]) }, x, 0), ShapeError, 'got [1, 4]');
  x.dispose();
  refuses(() => cutNetwork(dense), ValueError, 'got Linear');
  dense.dispose();
});

const slow = device().facts.name.includes('SwiftShader');

for (const name of MODELS) {
  const large = name !== 'nano' && name !== 'small';
  test(
    `cutNetwork of ${name} computes what ${name} does, and its map is the last of a convolution`,
    async () => {
      const { channels, size } = trainingConfig(name, 'fer2013').input;
      using net = createNetwork(name, { classes: 7, channels, generator: new Generator(3) }).eval();
      const { body, head } = cutNetwork(net);
      const x = randn([1, channels, size, size], { generator: new Generator(4) });
      const [whole, map, parts] = scope(() =>
        noGrad((): readonly [Tensor, Tensor, Tensor] => {
          const map = body(x);
          return [net.forward(x), map, head(map)];
        }),
      );
      const side = name.startsWith('vgg') ? 2 : 6;
      ensure(map.shape.slice(2).join() === `${side},${side}`, `a map of [${map.shape}]`);
      await near(parts, { shape: whole.shape, data: Float64Array.from(await whole.data()) });
      for (const each of [x, whole, map, parts]) each.dispose();
    },
    { skip: slow && large ? 'SwiftShader takes minutes for it' : undefined },
  );
}

/** A reader with a random network. */
async function drawnReader(seed: number): Promise<ExpressionReader> {
  const faces = drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
  const train = split(faces, 'Training');
  const training = new Training({ model: 'nano', train, config: trainingConfig('nano', 'drawn'), seed });
  try {
    return new ExpressionReader(readTraining(await training.checkpoint()), null);
  } finally {
    training.dispose();
  }
}

test('explainFace depends on the weights and on the face, as Adebayo et al. (2018) require', async () => {
  const [first, second] = [await drawnReader(1), await drawnReader(2)];
  const { images } = drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
  const [face, other] = [images.slice(0, PIXELS), images.slice(PIXELS, 2 * PIXELS)];
  const maps = [];
  for (const [reader, seen] of [
    [first, face],
    [first, face],
    [second, face],
    [first, other],
  ] as const) {
    // A class with some evidence.
    const explained = await Promise.all(reader.classes.map((_, index) => explainFace(reader, seen, index)));
    maps.push(explained.flatMap(({ map }) => [...map]));
  }
  const distance = (a: readonly number[] = [], b: readonly number[] = []): number =>
    a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
  ensure(distance(maps[0], maps[1]) === 0, 'the same weights and face give another map');
  ensure(distance(maps[0], maps[2]) > 0.1, `other weights change the map by ${distance(maps[0], maps[2])} only`);
  ensure(distance(maps[0], maps[3]) > 0.01, `another face changes the map by ${distance(maps[0], maps[3])} only`);
  const values = maps[0] as number[];
  ensure(values.every((value) => value >= 0 && value <= 1) && Math.max(...values) === 1, 'a map is from 0 to 1');
  first.dispose();
  second.dispose();
});

test('explainFace of a mirrored face is the mirrored map', async () => {
  const reader = await drawnReader(5);
  const { images } = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
  const face = images.slice(0, PIXELS);
  const mirrored = face.map((_, i) => face[i - (i % 48) + 47 - (i % 48)] as number);
  const index = (await reader.readFaces(face)).map(({ expression }) => reader.classes.indexOf(expression))[0] as number;
  const [a, b] = [await explainFace(reader, face, index), await explainFace(reader, mirrored, index)];
  const data = Float64Array.from(a.map, (_, i) => a.map[i - (i % 48) + 47 - (i % 48)] as number);
  const found = scope(() => toTensor({ shape: [48, 48], data: Float64Array.from(b.map) }));
  // The map is a sum of at most 4096 products per layer of the network.
  await near(found, reference.summed({ shape: [48, 48], data }, 4096));
  found.dispose();
  reader.dispose();
});
