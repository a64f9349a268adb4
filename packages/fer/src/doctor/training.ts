// In-place operations of training: optimizers, clipping, EMA and running statistics, against float64 references.
import {
  Adam,
  AdamW,
  BatchNorm2d,
  type Clip,
  clipGradNorm,
  clipGradValue,
  EMA,
  Linear,
  type Optimizer,
  SGD,
} from '@mien/nn';
import { capture, detectAnomaly, type Tensor, tensor } from '@mien/tensor';
import { ensure, near, toTensor } from '@mien/tensor/internal';
import { full, runningStatistics, summed, type Values } from '@mien/tensor/reference';
import { type Case, sample } from './case.ts';

const steps = 3;
const [lr, weightDecay] = [0.1, 0.05];
const clips: readonly (Clip | null)[] = [null, { kind: 'value', limit: 0.5 }, { kind: 'norm', limit: 3 }];

function clipped(gradient: Values, clip: Clip | null): Float64Array {
  if (!clip) return gradient.data;
  const { kind, limit } = clip;
  const norm = Math.hypot(...gradient.data);
  return gradient.data.map((g) =>
    kind === 'value' ? Math.min(limit, Math.max(-limit, g)) : g * Math.min(1, limit / (norm + 1e-6)),
  );
}

/** Optimizer steps with given gradients; `next` defines element i of the parameter after step t. */
function optimizerCase(
  operation: string,
  clip: Clip | null,
  make: (p: Tensor) => Optimizer<{ readonly lr: number }>,
  next: (p: number, g: number, i: number, t: number) => number,
): Case {
  const start = sample([77], 1);
  return {
    operation,
    run: async () => {
      const p = toTensor(start, { requiresGrad: true });
      using optimizer = make(p);
      const expected = Float64Array.from(start.data);
      for (let t = 1; t <= steps; t++) {
        const gradient = sample([77], 1 + t);
        p.grad = toTensor(gradient);
        optimizer.step(clip);
        const applied = clipped(gradient, clip);
        expected.forEach((value, i) => {
          expected[i] = next(value, applied[i] as number, i, t);
        });
        // Each step adds the rounding errors of about eight operations.
        await near(p, summed({ shape: start.shape, data: Float64Array.from(expected) }, 8 * t));
      }
    },
  };
}

function sgd(clip: Clip | null, momentum: number, nesterov: boolean): Case {
  const velocity = new Float64Array(77);
  return optimizerCase(
    'SGD',
    clip,
    (p) => new SGD([['p', p]], { lr, weightDecay, momentum, nesterov }),
    (p, gradient, i, t) => {
      const g = gradient + weightDecay * p;
      const v = momentum * (t === 1 ? 0 : (velocity[i] as number)) + g;
      velocity[i] = v;
      return p - lr * (nesterov ? g + momentum * v : v);
    },
  );
}

function adam(clip: Clip | null, decoupled: boolean): Case {
  const [m, s] = [new Float64Array(77), new Float64Array(77)];
  const options = { lr, weightDecay, betas: [0.8, 0.95], eps: 1e-3 } as const;
  return optimizerCase(
    decoupled ? 'AdamW' : 'Adam',
    clip,
    (p) => (decoupled ? new AdamW([['p', p]], options) : new Adam([['p', p]], options)),
    (before, gradient, i, t) => {
      const p = decoupled ? before - lr * weightDecay * before : before;
      const g = decoupled ? gradient : gradient + weightDecay * p;
      m[i] = 0.8 * (t === 1 ? 0 : (m[i] as number)) + 0.2 * g;
      s[i] = 0.95 * (t === 1 ? 0 : (s[i] as number)) + 0.05 * g * g;
      return p - (lr * ((m[i] as number) / (1 - 0.8 ** t))) / (Math.sqrt((s[i] as number) / (1 - 0.95 ** t)) + 1e-3);
    },
  );
}

function clipping(): Case[] {
  const gradient = sample([300], 21);
  const withGradient = (): Tensor => {
    const p = toTensor(sample([300], 22), { requiresGrad: true });
    p.grad = toTensor(gradient);
    return p;
  };
  return [
    {
      operation: 'clipGradNorm',
      run: async () => {
        const p = withGradient();
        const norm = clipGradNorm([p], 2);
        await near(norm, summed({ shape: [], data: Float64Array.of(Math.hypot(...gradient.data)) }, 300));
        const expected = clipped(gradient, { kind: 'norm', limit: 2 });
        await near(p.grad as Tensor, summed({ shape: [300], data: expected }, 300));
      },
    },
    {
      operation: 'clipGradValue',
      run: async () => {
        const p = withGradient();
        clipGradValue([p], 0.5);
        await near(p.grad as Tensor, { shape: [300], data: clipped(gradient, { kind: 'value', limit: 0.5 }) });
      },
    },
  ];
}

/** The first update weights the old average by 1/10; `applied` swaps the average with the parameters. */
function averages(): Case {
  return {
    operation: 'EMA',
    run: async () => {
      const layer = new Linear(6, 5);
      const before = Float64Array.from(await layer.weight.data());
      using average = new EMA(layer);
      const optimizer = new SGD([['weight', layer.weight]], { lr: 1 });
      layer.weight.grad = tensor({ shape: [5, 6], data: new Float64Array(30).fill(1) });
      optimizer.step();
      average.update();
      const expected = before.map((v) => v - 0.9);
      await average.applied(() => near(layer.weight, summed({ shape: [5, 6], data: expected }, 8)));
      await near(layer.weight, summed({ shape: [5, 6], data: before.map((v) => v - 1) }, 4));
    },
  };
}

/** BatchNorm2d updates its running statistics and counts batches. */
function normalizing(): Case {
  return {
    operation: 'BatchNorm2d',
    run: async () => {
      const layer = new BatchNorm2d(2);
      const x = sample([3, 2, 4, 4], 51);
      for (let i = 0; i < 3; i++) layer.forward(toTensor(x));
      ensure((await layer.numBatchesTracked.item()) === 3, 'expected numBatchesTracked to be 3');
      const { mean, variance } = [0, 1, 2].reduce(
        (previous) =>
          runningStatistics(x, {
            ...{ weight: null, bias: null, training: true },
            ...{ runningMean: previous.mean, runningVar: previous.variance },
          }),
        { mean: full([2], 0), variance: full([2], 1) },
      );
      await near(layer.runningMean, mean);
      await near(layer.runningVar, variance);
    },
  };
}

/** A captured function gives the results of its calls, with new arguments each time. */
function replay(): Case {
  return {
    operation: 'capture',
    run: async () => {
      const f = capture((x: Tensor) => x.mul(3).add(x.sum()));
      try {
        for (let i = 0; i < 5; i++) {
          const x = sample([40], 40 + i);
          const total = x.data.reduce((sum, v) => sum + v, 0);
          await near(f.run(toTensor(x)), summed({ shape: [40], data: x.data.map((v) => 3 * v + total) }, 42));
        }
      } finally {
        f.dispose();
      }
    },
  };
}

/** detectAnomaly throws at the first NaN. */
function anomaly(): Case {
  return {
    operation: 'detectAnomaly',
    run: async () => {
      const x = tensor([1, -1]);
      let detected = false;
      await detectAnomaly(async () => {
        const y = x.sqrt();
        await y.data();
      }).catch(() => {
        detected = true;
      });
      ensure(detected, 'detectAnomaly did not throw for the square root of -1');
    },
  };
}

/** Optimizers, clipping, EMA, BatchNorm2d, capture and anomaly detection. */
export function training(): Case[] {
  return [
    ...clips.flatMap((clip) => [sgd(clip, 0, false), sgd(clip, 0.9, false), sgd(clip, 0.9, true)]),
    ...clips.flatMap((clip) => [adam(clip, false), adam(clip, true)]),
    ...clipping(),
    averages(),
    normalizing(),
    replay(),
    anomaly(),
  ];
}
