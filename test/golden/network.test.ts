// The published networks and ours, with weights by formula: logits, a step's loss, its gradients and statistics.
import { createNetwork, type ModelName } from '@mien/fer';
import { crossEntropy, Dropout, type Layer } from '@mien/nn';
import { assign, device, Generator, noGrad, scope, type Tensor, tensor } from '@mien/tensor';
import { sumError, type Values, within } from '@mien/tensor/reference';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { casesOf, noise, type Stored } from './golden.ts';
import networks from './network.golden.json' with { type: 'json' };

/** A large tensor, by its norm and its first values. */
interface Sample {
  readonly norm: number;
  readonly first: Stored;
}

interface NetworkCase {
  readonly name: ModelName;
  readonly channels: number;
  readonly parameters: number;
  readonly logits: Stored;
  readonly training: {
    readonly side: number;
    /** The seed of the images' noise; make.py explains it. */
    readonly draw: number;
    readonly labels: readonly number[];
    readonly labelSmoothing: number;
    readonly loss: number;
    /** Whether gradients are by running statistics; make.py explains why. */
    readonly held: boolean;
    readonly gradients: Readonly<Record<string, Sample>>;
    readonly running: Readonly<Record<string, Sample>>;
  };
}

/** The bound of a list whose values are about as large as `size`: sums of up to 4608 terms in up to 19 layers. */
function throughLayers(list: ArrayLike<number>, size = 0): Values {
  const data = Float64Array.from(list);
  const largest = data.reduce((most, v) => Math.max(most, Math.abs(v)), size);
  return within({ shape: [data.length], data }, Math.sqrt(19) * sumError(4608, largest, largest ** 2));
}

/** About 10 GFLOP per step take minutes there; one image's logits take 2. */
const slow = device().facts.name.includes('SwiftShader');

for (const each of casesOf<NetworkCase>(networks)) {
  const { name, channels, parameters, logits, training } = each;
  const large = parameters > 1e6;

  test(`${name} gives PyTorch's logits for weights by formula`, async () => {
    using model = filled(each).eval();
    const total = model.parameters().reduce((sum, { size }) => sum + size, 0);
    ensure(total === parameters, `${total} parameters, expected ${parameters}`);
    const count = slow && large ? 1 : 2;
    const actual = noGrad(() => scope(() => model.forward(images(channels, 44).slice(0, 0, count))));
    const [, classes = 0] = logits.shape;
    nearValues(await actual.data(), throughLayers(logits.data.slice(0, count * classes)));
    actual.dispose();
  });

  test(
    `${name} gives PyTorch's loss, gradients and running statistics`,
    async () => {
      using model = filled(each).train();
      for (const [, module] of model.namedModules()) if (module instanceof Dropout) module.eval();
      const step = (): Tensor =>
        scope(() => {
          const target = tensor(training.labels, { dtype: 'int32' });
          const { side, draw, labelSmoothing } = training;
          const loss = crossEntropy(model.forward(images(channels, side, draw)), target, { labelSmoothing });
          if (training.held !== model.training) loss.backward();
          return loss.detach();
        });
      const loss = step();
      nearValues([await loss.item()], throughLayers([training.loss]));
      loss.dispose();
      const state = model.stateDict();
      for (const [key, sample] of Object.entries(training.running)) await resembles(state.get(key) as Tensor, sample);
      if (training.held) {
        fill(model);
        model.eval();
        step().dispose();
      }
      for (const [key, sample] of Object.entries(training.gradients))
        await resembles(state.get(key)?.grad as Tensor, sample);
    },
    { seconds: 300, skip: slow && large ? 'SwiftShader takes minutes for it' : undefined },
  );
}

function filled({ name, channels }: NetworkCase): Layer {
  const model = createNetwork(name, { classes: 7, channels, generator: new Generator(0) });
  fill(model);
  return model;
}

/** fill() of make.py: kaiming-scaled kernels, statistics and scales near one. */
function fill(model: Layer): void {
  for (const [name, target] of model.stateDict()) {
    const { shape, size } = target;
    if (target.dtype !== 'float32') continue; // how many batches were seen
    if (shape.length > 1) assign(target, noise(name, size, Math.sqrt(6 / (size / (shape[0] as number)))));
    else if (name.endsWith('running_var')) assign(target, noise(name, size, 0.5, 1));
    else if (name.endsWith('weight')) assign(target, noise(name, size, 0.25, 1));
    else assign(target, noise(name, size, 0.1));
  }
}

/** images() of make.py: noise, and noise in blocks of four by four, the same in every channel. */
function images(channels: number, side: number, draw = 0): Tensor {
  const named = draw === 0 ? '' : ` ${draw}`;
  const fine = noise(`fine ${side}${named}`, side * side, 0.5, 0.5);
  const blocks = noise(`coarse ${side}${named}`, (side / 4) ** 2, 0.5, 0.5);
  const coarse = fine.map((_, i) => blocks[((i / side) >> 2) * (side / 4) + ((i % side) >> 2)] as number);
  const planes = [fine, coarse].flatMap((image) => Array.from({ length: channels }, () => image));
  const data = new Float32Array(planes.length * side * side);
  for (const [i, plane] of planes.entries()) data.set(plane, i * side * side);
  return tensor(data, { shape: [2, channels, side, side] });
}

async function resembles(actual: Tensor, { norm, first }: Sample): Promise<void> {
  const values = await actual.data();
  let squares = 0;
  for (const value of values) squares += value * value;
  nearValues([Math.sqrt(squares)], throughLayers([norm]));
  nearValues(values.slice(0, first.data.length), throughLayers(first.data, norm / Math.sqrt(values.length)));
}
