// Checks that the laws of algorithms run the algorithm they name: a fault in any of its kernels fails its law.

import { type Dispatch, withDispatches } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { forwardLaw, transposeLaw, weightGradientLaw } from './algorithms/convLaws.ts';
import { doubled, expectNoticed } from './algorithms/faults.ts';
import { type AlgorithmLaw, edgeOf, exampleOf, lacking, runCase, type Spec } from './algorithms/laws.ts';
import { matmulLaw } from './algorithms/matmul.ts';
import { poolLaw } from './algorithms/pool.ts';

/** The kernels that an algorithm dispatches itself, not through another operation, each with the first such case. */
async function kernelsOf<S extends Spec, C>(
  stated: AlgorithmLaw<S, C>,
  algorithm: string,
  specs: readonly S[],
): Promise<ReadonlyMap<string, S>> {
  const kernels = new Map<string, S>();
  for (const spec of specs) {
    for (const { kernel, running } of await runCase(stated, algorithm, exampleOf(stated, spec)))
      if (running?.operation === stated.operation && !kernels.has(kernel.name)) kernels.set(kernel.name, spec);
  }
  return kernels;
}

function provesFaults<S extends Spec, C>(stated: AlgorithmLaw<S, C>): void {
  for (const [algorithm, cases] of Object.entries(stated.cases)) {
    if (typeof cases === 'string') continue;
    const small = Object.entries(cases.edges).filter(([name, { limits }]) => name !== 'largest' && !limits);
    const specs = small.map(([, spec]) => spec);
    test(
      `doubling the stores of any kernel of ${stated.operation} by ${algorithm} fails its law`,
      async () => {
        const kernels = await kernelsOf(stated, algorithm, specs);
        ensure(kernels.size > 0 || algorithm === 'gemm', 'expected kernels of the algorithm');
        for (const [name, spec] of kernels)
          await expectNoticed(await doubled(name), `${name} doubled`, () =>
            runCase(stated, algorithm, exampleOf(stated, spec)),
          );
      },
      { skip: () => lacking(stated.operation, algorithm) },
    );
  }
}

provesFaults(forwardLaw);
provesFaults(transposeLaw);
provesFaults(weightGradientLaw);
provesFaults(matmulLaw);
provesFaults(poolLaw);

/** A numeric parameter of a dispatch. */
function paramOf({ kernel, params }: Dispatch, name: string): number {
  const place = kernel.params?.params.find((param) => param.name === name);
  return place && params ? (new Uint32Array(params)[place.byteOffset / 4] as number) : Number.NaN;
}

for (const algorithm of ['winograd4', 'winograd2']) {
  for (const [edge, passes] of [
    ['parts of the sum', 1],
    ['passes of parts', 2],
  ] as const) {
    const example = edgeOf(weightGradientLaw, algorithm, edge);
    const run = (): Promise<readonly Dispatch[]> => runCase(weightGradientLaw, algorithm, example);
    test(`the weight gradient of conv2d by ${algorithm} adds ${edge}: skipping one fails its law`, async () => {
      const gathers = (await run()).filter(
        (dispatch) => paramOf(dispatch, 'parts') > 1 && dispatch.kernel.name === 'winogradGather',
      );
      ensure(gathers.length === passes, `${gathers.length} dispatches add parts, expected ${passes}`);
      const skipping = (name: string, text: string): string =>
        name === 'winogradGather'
          ? text.replace('var part = 1u; part < params.parts', 'var part = 2u; part < params.parts')
          : text;
      await expectNoticed(skipping, 'a part left out', run);
    });
  }
}

test('withDispatches reports dispatches and their algorithms', async () => {
  const heard: string[] = [];
  const example = edgeOf(forwardLaw, 'gemm', 'odd');
  await withDispatches(
    ({ kernel, running }) => heard.push(`${kernel.name} ${running?.operation} ${running?.caller?.algorithm ?? '-'}`),
    () => runCase(forwardLaw, 'gemm', example),
  );
  ensure(heard.includes('im2col conv2d -'), heard.join());
  ensure(
    heard.some((line) => line.endsWith('matmul gemm')),
    heard.join(),
  );
});
