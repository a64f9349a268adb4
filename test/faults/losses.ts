// The losses of twenty training steps of a small network. A fault counts if it changes them.
import { Adam, BatchNorm2d, buffer, Conv2d, crossEntropy, EMA, Linear, MaxPool2d, Module, parameter } from '@mien/nn';
import {
  avgPool2d,
  capture,
  device,
  dropout,
  Generator,
  gelu,
  randn,
  setFloat32MatmulPrecision,
  type Tensor,
  tensor,
} from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';

const batch = 16;
const classes = 10;
const side = 12;

/** Convolution, batch and RMS normalization, pooling, dropout, and linear layers. */
class Network extends Module {
  readonly first: Conv2d;
  readonly norm: BatchNorm2d;
  readonly second: Conv2d;
  readonly pool: MaxPool2d = new MaxPool2d(2);
  readonly hidden: Linear;
  readonly exponent: Tensor = parameter(tensor([1.5]));
  readonly mean: Tensor = buffer(tensor([0.1]));
  readonly last: Linear;
  readonly #generator: Generator;

  constructor(generator: Generator) {
    super();
    this.#generator = generator;
    this.first = new Conv2d(1, 16, 3, { padding: 1, generator });
    this.norm = new BatchNorm2d(16);
    this.second = new Conv2d(16, 32, 3, { padding: 1, generator });
    this.hidden = new Linear((32 * side * side) / 16, 64, { generator });
    this.last = new Linear(64, classes, { generator });
  }

  forward(images: Tensor): Tensor {
    const noisy = images.add(randn(images.shape, { generator: this.#generator }).mul(0.1));
    const planes = this.pool.forward(this.norm.forward(this.first.forward(noisy)).relu());
    const averaged = avgPool2d(this.second.forward(planes).tanh(), { kernelSize: 2 });
    const flat = averaged.reshape([images.shape[0] as number, -1]);
    const rows = dropout(gelu(this.hidden.forward(flat)), 0.2, { training: true, generator: this.#generator });
    const scaled = rows.mul(rows.square().mean(1, { keepDim: true }).add(1e-3).rsqrt()).sub(this.mean);
    const powers = scaled.abs().add(0.1).pow(this.exponent).add(1).log();
    return this.last.forward(powers);
  }
}

/** The adapter's limits; wide subgroups and small grids; products in f16. */
export const settings = ['default', 'wide', 'f16'] as const;
export type Setting = (typeof settings)[number];

/** The loss of each step. After a few calls, `capture` replays the step. */
export async function losses(setting: Setting, seed: number, steps = 20): Promise<number[]> {
  const f16 = setting === 'f16' && device().facts.features.includes('shader-f16');
  if (f16) setFloat32MatmulPrecision('medium');
  try {
    if (setting !== 'wide') return await train(seed, steps);
    let result: number[] = [];
    const wide = { subgroupSize: 32, maxComputeWorkgroupsPerDimension: 9 };
    await withLimits(wide, async () => {
      result = await train(seed, steps);
    });
    return result;
  } finally {
    if (f16) setFloat32MatmulPrecision('highest');
  }
}

async function train(seed: number, steps: number): Promise<number[]> {
  const generator = new Generator(seed);
  const model = new Network(generator);
  const optimizer = new Adam(model.namedParameters(), { lr: 0.003 });
  const average = new EMA(model);
  const images = randn([batch, 1, side, side], { generator });
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => (7 * i) % classes));
  const step = capture((x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step({ kind: 'norm', limit: 1 });
    optimizer.zeroGrad();
    average.update();
    return loss.detach();
  });
  const result: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = step.run(images, labels);
    result.push(await loss.item());
    loss.dispose();
  }
  step.dispose();
  return result;
}

/** The largest relative change of a loss; infinite if one is NaN. */
export function relativeChange(clean: readonly number[], faulty: readonly number[]): number {
  const changes = clean.map((loss, i) => Math.abs((faulty[i] as number) - loss) / Math.max(Math.abs(loss), 1e-6));
  return changes.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...changes);
}
