import {
  Conv2d,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  Linear,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from '@mien/nn';
import { Generator, type Tensor } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { casesOf } from './golden.ts';
import scales from './init.golden.json' with { type: 'json' };

interface ScaleCase {
  readonly op: string;
  readonly shape: readonly [number, number, ...number[]];
  readonly options: KaimingOptions & XavierOptions;
  readonly bound?: number;
  readonly deviation?: number;
}

type Make = (shape: ScaleCase['shape'], options: ScaleCase['options'] & { readonly generator: Generator }) => Tensor;

const makers: Readonly<Record<string, Make>> = {
  kaimingUniform,
  kaimingNormal,
  xavierUniform,
  xavierNormal,
  Linear: ([outputs, inputs], { generator }) => new Linear(inputs, outputs, { generator }).weight,
  Conv2d: ([outputs, inputs, size = 1], { generator }) => new Conv2d(inputs, outputs, size, { generator }).weight,
};

const cases = casesOf<ScaleCase>(scales);

for (const op of new Set(cases.map((each) => each.op))) {
  test(`${op} has PyTorch's bound and deviation`, async () => {
    for (const { shape, options, bound, deviation } of cases.filter((each) => each.op === op)) {
      const weight = makers[op]?.(shape, { ...options, generator: new Generator(7) }) as Tensor;
      const values = [...(await weight.data())];
      weight.dispose();
      const asked = `[${shape.join(', ')}] ${JSON.stringify(options)}`;
      if (bound !== undefined) {
        const largest = Math.max(...values.map(Math.abs));
        // The largest of thousands of uniform numbers is within 1 % of the bound, except for one seed in 10^13.
        ensure(
          largest > 0.99 * bound && largest <= bound * (1 + 2 ** -20),
          `${asked}: the largest is ${largest}, the bound ${bound}`,
        );
      }
      const actual = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      const wanted = deviation ?? (bound as number) / Math.sqrt(3);
      // Five standard errors of this estimate for normal numbers; uniform ones vary less.
      const margin = 5 / Math.sqrt(2 * values.length);
      ensure(Math.abs(actual / wanted - 1) < margin, `${asked}: the deviation is ${actual}, expected ${wanted}`);
    }
  });
}
