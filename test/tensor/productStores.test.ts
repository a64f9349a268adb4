// Kernels of matrix products store vec4 if the layout of the result allows it, else single elements.
import { device, linear, profile, type Tensor } from '@mien/tensor';
import { withAlgorithm } from '@mien/tensor/internal';
import { ensure, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

// Full and partial tiles of every kernel; the last is split along its depth.
const sizes = fc.constantFrom<readonly [number, number, number]>(
  [16, 5, 20],
  [33, 17, 36],
  [64, 8, 64],
  [65, 9, 68],
  [70, 33, 132],
  [20, 2100, 36],
);
const cases = sizes.chain(([rows, depth, columns]) =>
  fc.record({
    x: valuesOf([rows, depth]),
    weight: valuesOf([columns, depth]),
    bias: fc.option(valuesOf([columns])),
    relu: fc.boolean(),
  }),
);

/** The values of y, and the product kernels that ran. */
async function productOf(run: () => Tensor): Promise<{ data: Float32Array; kernels: string }> {
  const { result, spans } = await profile(run);
  const data = (await result.data()) as Float32Array;
  const kernels = spans.map(({ kernel }) => kernel).filter((label) => label.startsWith('gemm'));
  return { data, kernels: kernels.join(' ') };
}

const eight = device().limits.subgroupSize === 8 ? undefined : 'the adapter has no subgroups of 8 lanes';
for (const [name, skip] of [['subgroup', eight], ['workgroup'], ['tile']] as const) {
  law(
    `products by ${name} give the same bits with vec4 and scalar stores`,
    cases,
    ({ x, weight, bias, relu }) =>
      withAlgorithm('matmul', name, async () => {
        const [rows, columns] = [x.shape[0] as number, weight.shape[0] as number];
        const [a, b, c] = [toTensor(x), toTensor(weight), bias && toTensor(bias)];
        const aligned = await productOf(() => linear(a, b, c, { relu }));
        const fewer = columns - 1;
        const unaligned = await productOf(() =>
          linear(a, b.slice(0, 0, fewer), c?.slice(0, 0, fewer) ?? null, { relu }),
        );
        ensure(/ALIGNED=true/.test(aligned.kernels), `${columns} columns ran ${aligned.kernels}`);
        ensure(/ALIGNED=false/.test(unaligned.kernels), `${fewer} columns ran ${unaligned.kernels}`);
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < fewer; j++) {
            const [one, other] = [aligned.data[i * columns + j], unaligned.data[i * fewer + j]];
            ensure(Object.is(one, other), `row ${i}, column ${j} is ${one} as vec4, ${other} as a number`);
          }
        }
      }),
    { runs: 12, ...(skip ? { skip } : {}) },
  );
}
