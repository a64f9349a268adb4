// Stochastic gradient descent with momentum, as torch.optim.SGD defines it.
import sgd from '@mien/shaders/optim/sgd.wgsl';
import { kernel, ValueError } from '@mien/tensor';
import { checkedOptions, optionNames } from '@mien/tensor/internal';
import { clipVariants } from './clip.ts';
import { expectWithin, Optimizer, type OptimizerParameters, type Updates } from './optimizer.ts';
import { runSlots } from './slots.ts';

const plain = clipVariants((clip) => kernel(sgd, { MOMENTUM: false, ...clip }));
const heavyBallMomentum = clipVariants((clip) => kernel(sgd, clip));
const nesterovMomentum = clipVariants((clip) => kernel(sgd, { NESTEROV: true, ...clip }));

export interface SGDOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Factor on the previous velocity. Default 0. */
  readonly momentum?: number;
  /** Whether to use Nesterov momentum (Sutskever et al., 2013). Default false. */
  readonly nesterov?: boolean;
  /** L2 penalty: weightDecay * p is added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

const names = optionNames<SGDOptions>({ lr: true, momentum: true, nesterov: true, weightDecay: true });
const defaults = { momentum: 0, nesterov: false, weightDecay: 0 } as const;

/** v = momentum v + g + weightDecay p; p -= lr v. State per parameter: `momentum_buffer`. */
export class SGD extends Optimizer<Required<SGDOptions>> {
  protected readonly countsSteps: boolean = false;

  constructor(parameters: OptimizerParameters<Required<SGDOptions>>, options: SGDOptions) {
    super(parameters, { ...defaults, ...checkedOptions('SGD', options, names) });
  }

  protected check({ lr, momentum, nesterov, weightDecay }: Required<SGDOptions>): void {
    expectWithin('SGD', 'lr', lr, 0, Number.POSITIVE_INFINITY);
    expectWithin('SGD', 'momentum', momentum, 0, Number.POSITIVE_INFINITY);
    expectWithin('SGD', 'weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
    if (nesterov && momentum === 0)
      throw new ValueError('SGD: nesterov requires momentum, got momentum 0; set momentum, for example to 0.9');
  }

  protected stateNames({ momentum }: Required<SGDOptions>): Readonly<Record<string, string>> {
    return momentum === 0 ? {} : { velocity: 'momentum_buffer' };
  }

  protected update({ slots, clip, lr, options }: Updates<Required<SGDOptions>>): void {
    const { momentum, nesterov, weightDecay } = options;
    const kernels = momentum === 0 ? plain : nesterov ? nesterovMomentum : heavyBallMomentum;
    const bindings = { squares: clip.squares, ...(momentum === 0 ? { velocity: null } : {}) };
    runSlots(kernels[clip.kind], slots, bindings, { learningRate: lr, weightDecay, momentum, limit: clip.limit });
  }
}
