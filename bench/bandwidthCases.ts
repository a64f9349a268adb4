// Work that is bound by memory, on VGG19's largest activation at batch 16. Bytes are those that must be read and written:
// batch normalisation reads x for its statistics and again to apply them, and backward reads x and dy twice.
import { BatchNorm2d, parameter } from '@mien/nn';
import { dropout, empty, kernel, maxPool2d, noGrad, randn, run, type Tensor } from '@mien/tensor';
import copyText from './copy.wgsl';
import type { Case, Measurement, Work } from './measure.ts';
import { operation } from './operation.ts';

const shape = [16, 64, 44, 44];
const size = 16 * 64 * 44 * 44;
/** The work of reading or writing a whole activation so many times. */
const passes = (count: number): Work => ({ bytes: 4 * count * size });

/** What the best copy is chosen from: four vec4 an invocation in groups of several sizes, and one vec4. */
const copies = [{ LANES: 8 }, { LANES: 64 }, { LANES: 256 }, { LANES: 64, VECTORS: 1 }].map((values) =>
  kernel(copyText, values),
);

/** `copy` is what the other records of this file are a share of: the adapter's own best copy kernel. */
const copyCase: Case = {
  name: 'copy',
  run: async () => {
    const found: Measurement[] = [];
    for (const form of copies) {
      const groups = Math.ceil(size / (4 * form.const('LANES') * form.const('VECTORS')));
      const one = operation('copy', passes(2), () => {
        const [x, y] = [randn(shape), empty(shape)];
        return { tensors: [x, y], run: () => run(form, { x, y }, { vectors: size / 4 }, groups) };
      });
      found.push(await one.run());
    }
    return found.reduce((best, each) => (each.median > best.median ? each : best));
  },
};

export function bandwidthCases(): readonly Case[] {
  return [
    copyCase,
    forward('relu/forward', 2, (x) => x.relu()),
    backward('relu/backward', 3, (x) => x.relu()),
    forward('add', 3, (x, other) => x.add(other)),
    forward('sum', 1, (x) => x.sum()),
    forward('dropout', 2, (x) => dropout(x, 0.5)),
    // A quarter as many results, each with the place that it came from.
    forward('maxPool2d/forward', 1.5, (x) => maxPool2d(x, { kernelSize: 2 })),
    backward('maxPool2d/backward', 1.5, (x) => maxPool2d(x, { kernelSize: 2 })),
    norm('batchNorm/forward', 3, 'training'),
    norm('batchNorm/backward', 5, 'backward'),
    norm('batchNorm/inference', 2, 'inference'),
    ...[1 << 12, 1 << 16].map(short),
  ];
}

function forward(name: string, count: number, fn: (x: Tensor, other: Tensor) => Tensor): Case {
  return operation(name, passes(count), () => {
    const [x, other] = [randn(shape), randn(shape)];
    return { tensors: [x, other], run: () => fn(x, other) };
  });
}

function backward(name: string, count: number, fn: (x: Tensor) => Tensor): Case {
  return operation(name, passes(count), () => {
    const x = parameter(randn(shape));
    const y = fn(x);
    const dy = randn(y.shape);
    return { tensors: [x, y, dy], run: () => y.backward(dy, { keepGraph: true }) };
  });
}

function norm(name: string, count: number, mode: 'training' | 'backward' | 'inference'): Case {
  return operation(name, passes(count), () => {
    const layer = new BatchNorm2d(64);
    layer.train(mode !== 'inference');
    const x = mode === 'backward' ? parameter(randn(shape)) : randn(shape);
    const parts = [x, ...layer.stateDict().values()];
    if (mode !== 'backward') return { tensors: parts, run: () => noGrad(() => layer.forward(x)) };
    const y = layer.forward(x);
    const dy = randn(shape);
    return { tensors: [...parts, y, dy], run: () => y.backward(dy, { keepGraph: true }) };
  });
}

/** Too little work to fill the device: what a dispatch costs. */
function short(length: number): Case {
  return operation(`relu/${length}`, { bytes: 8 * length }, () => {
    const x = randn([length]);
    return { tensors: [x], run: () => x.relu() };
  });
}
