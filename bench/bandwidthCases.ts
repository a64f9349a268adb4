// Memory-bound work on VGG19's largest activation, at batch 16 and at batch 128, which exceeds every cache. Bytes are those that must be
// read and written: batch normalization reads x twice, and its backward reads x and dy twice.
import { BatchNorm2d, parameter } from '@mien/nn';
import { dropout, empty, kernel, maxPool2d, noGrad, randn, run, type Tensor } from '@mien/tensor';
import copyText from './copy.wgsl';
import type { Case, Measurement, Work } from './measure.ts';
import { operation } from './operation.ts';

const shapeOf = (images: number): readonly number[] => [images, 64, 44, 44];
const sizeOf = (images: number): number => images * 64 * 44 * 44;
/** The work of that many reads or writes of the activation. */
const passes = (images: number, count: number): Work => ({ bytes: 4 * count * sizeOf(images) });

/** Candidates for the fastest copy: four vec4 for each invocation in workgroups of several sizes, and one vec4. */
const copies = [{ LANES: 8 }, { LANES: 64 }, { LANES: 256 }, { LANES: 64, VECTORS: 1 }].map((values) =>
  kernel(copyText, values),
);

/** `copy`, the adapter's fastest copy kernel: the other records are reported as a share of it. */
const copyCase: Case = {
  name: 'copy',
  run: async (pace) => {
    const candidates: Measurement[] = [];
    const [shape, size] = [shapeOf(16), sizeOf(16)];
    for (const form of copies) {
      const groups = Math.ceil(size / (4 * form.const('LANES') * form.const('VECTORS')));
      const one = operation('copy', passes(16, 2), () => {
        const [x, y] = [randn(shape), empty(shape)];
        return { tensors: [x, y], run: () => run(form, { x, y }, { vectors: size / 4 }, groups) };
      });
      candidates.push(await one.run(pace));
    }
    return candidates.reduce((best, each) => (each.median > best.median ? each : best));
  },
};

export function bandwidthCases(): readonly Case[] {
  const large = activationCases(128).map((each) => ({ ...each, name: `${each.name}/b128`, large: true }));
  return [copyCase, ...activationCases(16), ...[1 << 12, 1 << 16].map(short), ...large];
}

function activationCases(images: number): readonly Case[] {
  return [
    forward(images, 'relu/forward', 2, (x) => x.relu()),
    backward(images, 'relu/backward', 3, (x) => x.relu()),
    forward(images, 'add', 3, (x, other) => x.add(other)),
    forward(images, 'sum', 1, (x) => x.sum()),
    forward(images, 'dropout', 2, (x) => dropout(x, 0.5)),
    // A quarter as many results, each with its argmax.
    forward(images, 'maxPool2d/forward', 1.5, (x) => maxPool2d(x, { kernelSize: 2 })),
    backward(images, 'maxPool2d/backward', 1.5, (x) => maxPool2d(x, { kernelSize: 2 })),
    norm(images, 'batchNorm/forward', 3, 'training'),
    norm(images, 'batchNorm/backward', 5, 'backward'),
    norm(images, 'batchNorm/inference', 2, 'inference'),
  ];
}

function forward(images: number, name: string, count: number, fn: (x: Tensor, other: Tensor) => Tensor): Case {
  return operation(name, passes(images, count), () => {
    const [x, other] = [randn(shapeOf(images)), randn(shapeOf(images))];
    return { tensors: [x, other], run: () => fn(x, other) };
  });
}

function backward(images: number, name: string, count: number, fn: (x: Tensor) => Tensor): Case {
  return operation(name, passes(images, count), () => {
    const x = parameter(randn(shapeOf(images)));
    const y = fn(x);
    const dy = randn(y.shape);
    return { tensors: [x, y, dy], run: () => y.backward(dy, { keepGraph: true }) };
  });
}

function norm(images: number, name: string, count: number, mode: 'training' | 'backward' | 'inference'): Case {
  return operation(name, passes(images, count), () => {
    const layer = new BatchNorm2d(64);
    layer.train(mode !== 'inference');
    const x = mode === 'backward' ? parameter(randn(shapeOf(images))) : randn(shapeOf(images));
    const parts = [x, ...layer.stateDict().values()];
    if (mode !== 'backward') return { tensors: parts, run: () => noGrad(() => layer.forward(x)) };
    const y = layer.forward(x);
    const dy = randn(shapeOf(images));
    return { tensors: [...parts, y, dy], run: () => y.backward(dy, { keepGraph: true }) };
  });
}

/** Too little work to fill the device: measures the cost of a dispatch. */
function short(length: number): Case {
  return operation(`relu/${length}`, { bytes: 8 * length }, () => {
    const x = randn([length]);
    return { tensors: [x], run: () => x.relu() };
  });
}
