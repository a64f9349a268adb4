// Cases of single operations, whose tensors are made before and disposed of after.
import { device, scope, type Tensor } from '@mien/tensor';
import { currentDevice, withAlgorithm } from '@mien/tensor/internal';
import { type Case, measure, measureTogether, type Pace, type Work } from './measure.ts';

/** The function to time, and its tensors. */
export interface Prepared {
  readonly tensors: readonly Tensor[];
  readonly run: () => unknown;
}

/** The case of an operation on tensors that `prepare` makes; gradients are cleared after each run. */
export function operation(name: string, work: Work, prepare: () => Prepared): Case {
  const run = async (pace: Pace = 'together'): ReturnType<Case['run']> => {
    const { tensors, run } = prepare();
    const once = (): void => {
      scope(() => void run());
      for (const tensor of tensors) tensor.grad = null;
    };
    try {
      if (pace === 'together') {
        return await measureTogether(name, work, (times) =>
          currentDevice().elapsed(() => {
            for (let i = 0; i < times; i++) once();
          }),
        );
      }
      return await measure(name, work, async () => {
        once();
        await device().synchronize();
      });
    } finally {
      for (const tensor of tensors) tensor.dispose();
    }
  };
  return { name, run };
}

/** `each` by one algorithm of `operation` only: `gemm/512/workgroup`. */
export function forced(each: Case, operation: string, algorithm: string): Case {
  const name = `${each.name}/${algorithm}`;
  const run: Case['run'] = async (pace) => ({
    ...(await withAlgorithm(operation, algorithm, () => each.run(pace))),
    name,
  });
  return { ...each, name, run };
}
