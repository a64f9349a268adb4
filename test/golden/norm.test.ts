import { batchNorm, type Tensor } from '@mien/tensor';
import { summed } from '@mien/tensor/reference';
import { near } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { agree, type Call, casesOf, expected, load, type OperationCase, type Stored } from './golden.ts';
import norms from './norm.golden.json' with { type: 'json' };

interface NormCase extends OperationCase {
  readonly before: Readonly<Record<'runningMean' | 'runningVar', Stored>>;
  readonly after: NormCase['before'];
}

const cases = casesOf<NormCase>(norms);

/** The initial statistics of a case. */
const running = ({ before }: NormCase): Record<keyof NormCase['before'], Tensor> => ({
  runningMean: load(before.runningMean),
  runningVar: load(before.runningVar),
});

for (const each of cases) {
  const call: Call = ({ x, weight = null, bias = null }) =>
    batchNorm(x, { weight, bias, ...running(each), ...each.options });
  agree({ cases: [each] }, { batchNorm: call }, { sums: true });

  test(`batchNorm leaves PyTorch's running statistics ${each.name}`, async () => {
    const statistics = running(each);
    const { x, weight, bias } = each.inputs;
    const [input, scale, shift] = [load(x as Stored), weight ? load(weight) : null, bias ? load(bias) : null];
    const y = batchNorm(input, { weight: scale, bias: shift, ...statistics, ...each.options });
    await near(statistics.runningMean, summed(expected(each.after.runningMean), input.size));
    await near(statistics.runningVar, summed(expected(each.after.runningVar), input.size));
    for (const tensor of [input, scale, shift, y, ...Object.values(statistics)]) tensor?.dispose();
  });
}
