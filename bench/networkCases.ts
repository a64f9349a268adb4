// Networks: a training step of `Training`, a forward pass in evaluation, the latency of one image, the peak memory of training, and the
// first call of a new process. Images are noise, because values do not matter.
import { spawn } from 'node:child_process';
import {
  createNetwork,
  FER2013_CLASSES,
  type ModelName,
  PIXELS,
  type Split,
  Training,
  trainingConfig,
} from '@mien/fer';
import { Conv2d, type Layer, Linear } from '@mien/nn';
import { Generator, memory, noGrad, randn, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import type { Elapsed } from '@mien/tensor/internal';
import { currentDevice } from '@mien/tensor/internal';
import { type Case, type Measurement, measure, measureTogether, spread, type Work } from './measure.ts';

/** Larger batches for adapters that 16 images do not occupy. */
const largeSteps = [
  ['vgg19', 128],
  ['resnet18', 128],
] as const;
const steps = [
  ['vgg19', 16],
  ['resnet18', 16],
  ['small', 128],
  ['nano', 128],
] as const;

export function networkCases(): readonly Case[] {
  return [
    ...steps.map(([model, images]) => step(model, images)),
    ...largeSteps.map(([model, images]) => ({ ...step(model, images), large: true })),
    ...steps.map(([model, images]) => forward(model, images)),
    ...steps.map(([model]) => latency(model)),
    ...steps.map(([model, images]) => peak(model, images)),
    peak('vgg19', 128),
    ...(['vgg19', 'nano'] as const).flatMap((model) => [firstCall(model, 'forward'), firstCall(model, 'step')]),
  ];
}

/** From pixels on the host to the loss on the host; three times the work of a forward pass. */
function step(model: ModelName, images: number): Case {
  const name = `step/${model}/b${images}`;
  return {
    name,
    run: async (pace = 'together') => {
      using training = trainingOf(model, images);
      const work = { flops: 3 * images * flopsOf(training.network, model) };
      const stepsOf = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) await training.step();
        await training.drain();
      };
      if (pace === 'alone') return await measure(name, work, () => stepsOf(1));
      return await measureTogether(name, work, (times) => onHost(() => stepsOf(times)), enoughOfSteps);
    },
  };
}

/** Milliseconds of a sample's steps: several on a GPU, so that the host prepares one while the device runs another, as in training. */
const enoughOfSteps = 100;

async function onHost(run: () => Promise<void>): Promise<Elapsed> {
  const start = performance.now();
  await run();
  return { seconds: (performance.now() - start) / 1000, clock: 'host' };
}

function forward(model: ModelName, images: number): Case {
  return inference(`forward/${model}/b${images}`, model, images, (flops) => ({ flops: images * flops }), true);
}

/** From the pixels of one image on the host to its logits on the host. */
function latency(model: ModelName): Case {
  return inference(`latency/${model}`, model, 1, () => ({}), false);
}

function inference(
  name: string,
  model: ModelName,
  images: number,
  work: (flops: number) => Work,
  together: boolean,
): Case {
  return {
    name,
    run: async (pace = 'together') => {
      using net = networkOf(model);
      const flops = flopsOf(net, model);
      net.eval();
      const { channels, size } = inputOf(model);
      const pixels = new Float32Array(images * channels * size * size).fill(0.5);
      const logitsOf = (): Tensor =>
        scope(() => noGrad(() => net.forward(tensor(pixels, { shape: [images, channels, size, size] }))));
      const answers = async (count: number): Promise<void> => {
        const all = Array.from({ length: count }, logitsOf);
        await all.at(-1)?.data();
        for (const logits of all) logits.dispose();
      };
      if (pace === 'alone' || !together) return await measure(name, work(flops), () => answers(1));
      return await measureTogether(name, work(flops), (times) => onHost(() => answers(times)));
    },
  };
}

/** The peak bytes of two steps; the second has the optimizer's state. */
function peak(model: ModelName, images: number): Case {
  const name = `memory/${model}/b${images}`;
  return {
    name,
    run: async () => {
      const before = memory().liveBytes;
      const watch = currentDevice().pool.watchPeak();
      using training = trainingOf(model, images);
      for (let i = 0; i < 2; i++) await training.step();
      await training.drain();
      watch.stop();
      return { name, unit: 'MB', ...spread([(watch.bytes - before) / 1e6]) };
    },
  };
}

/**
 * From `init()` to the first result in a new process without the driver's caches: opening a device, building the network, compiling its
 * kernels and running them. `step` is a training step, `forward` one image.
 */
function firstCall(model: ModelName, kind: 'forward' | 'step'): Case {
  const name = `firstCall/${model}/${kind}`;
  const once = async (): Promise<number> => {
    const child = spawn(process.execPath, ['scripts/run.mjs', 'bench/firstCall.ts', model, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, INIT_CWD: process.cwd(), MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' },
    });
    let out = '';
    for await (const text of child.stdout) out += text;
    return Number.parseFloat(out);
  };
  const run = async (): Promise<Measurement> => ({
    name,
    unit: 'ms',
    ...spread([await once(), await once(), await once()]),
  });
  return { name, run, apart: true };
}

/** A training run of `model` by its FER2013 configuration on noise, which never reaches the end of an epoch. */
export function trainingOf(model: ModelName, batchSize: number): Training {
  const count = 64;
  const generator = new Generator(1);
  const train: Split = {
    faces: {
      dataset: 'noise',
      classes: FER2013_CLASSES,
      images: Uint8Array.from({ length: count * PIXELS }, () => generator.integer(256)),
      labels: Uint8Array.from({ length: count }, (_, i) => i % FER2013_CLASSES.length),
      splits: {},
    },
    indices: Int32Array.from({ length: batchSize * 2000 }, (_, i) => i % count),
  };
  return new Training({ model, train, config: trainingConfig(model, 'fer2013', { batchSize }) });
}

export function networkOf(model: ModelName): Layer {
  const { channels } = inputOf(model);
  return createNetwork(model, { classes: FER2013_CLASSES.length, channels, generator: new Generator(1) });
}

export function inputOf(model: ModelName): { readonly channels: number; readonly size: number } {
  return trainingConfig(model, 'fer2013').input;
}

/**
 * The flops of convolutions and linear layers, by the direct method, in a forward pass of one image: two for each multiply-add. Throws if a
 * layer is not called, because its work would be missing.
 */
export function flopsOf(net: Layer, model: ModelName): number {
  const { channels, size } = inputOf(model);
  const uncounted = new Set(
    net.namedModules().flatMap(([, each]) => (each instanceof Conv2d || each instanceof Linear ? [each] : [])),
  );
  let flops = 0;
  for (const layer of uncounted) {
    const { forward } = layer;
    layer.forward = (x: Tensor) => {
      const y = forward.call(layer, x);
      flops += (2 * y.size * layer.weight.size) / (layer.weight.shape[0] as number);
      uncounted.delete(layer);
      return y;
    };
  }
  const layers = [...uncounted];
  net.eval();
  scope(() => noGrad(() => void net.forward(randn([1, channels, size, size]))));
  net.train();
  for (const layer of layers) Reflect.deleteProperty(layer, 'forward');
  if (uncounted.size > 0)
    throw new ValueError(`bench: ${uncounted.size} layers of ${model} were not called by their forward()`);
  return flops;
}
