// Cases of single operations: tensors made before, freed after, and a wait for the device around each run.
import { device, scope, type Tensor } from '@mien/tensor';
import { type Case, measure, type Work } from './measure.ts';

/** What is run again and again, and the tensors that it uses. */
export interface Prepared {
  readonly tensors: readonly Tensor[];
  readonly run: () => unknown;
}

/** The case of an operation on tensors that `prepare` makes; gradients that it leaves on them are dropped. */
export function operation(name: string, work: Work, prepare: () => Prepared): Case {
  const run = async (): ReturnType<Case['run']> => {
    const { tensors, run } = prepare();
    try {
      return await measure(name, work, async () => {
        scope(() => void run());
        for (const tensor of tensors) tensor.grad = null;
        await device().synchronize();
      });
    } finally {
      for (const tensor of tensors) tensor.dispose();
    }
  };
  return { name, run };
}
