// Stochastic gradient descent with momentum, as torch.optim.SGD defines it.
import sgd from '@mien/shaders/optim/sgd.wgsl';
import { kernel, ValueError } from '@mien/tensor';
import { clipping } from './clip.ts';
import { expectWithin, Optimizer, type Parameters, type Updates } from './optimizer.ts';
import { runSlots } from './slots.ts';

const plain = clipping((clip) => kernel(sgd, { MOMENTUM: false, ...clip }));
const heavyBall = clipping((clip) => kernel(sgd, clip));
const nesterovBall = clipping((clip) => kernel(sgd, { NESTEROV: true, ...clip }));

export interface SGDOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Part of the velocity that is kept. Default 0. */
  readonly momentum?: number;
  /** Looks ahead along the velocity (Sutskever et al., 2013). Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient, times the parameter. Default 0. */
  readonly weightDecay?: number;
}

/** v = momentum v + g + weightDecay p; p -= lr v. Its state is `momentum_buffer`. */
export class SGD extends Optimizer<Required<SGDOptions>> {
  protected readonly countsSteps: boolean = false;

  constructor(parameters: Parameters<Required<SGDOptions>>, options: SGDOptions) {
    super(parameters, { momentum: 0, nesterov: false, weightDecay: 0, ...options });
  }

  protected check({ lr, momentum, nesterov, weightDecay }: Required<SGDOptions>): void {
    expectWithin('SGD', 'lr', lr, 0, Number.POSITIVE_INFINITY);
    expectWithin('SGD', 'momentum', momentum, 0, Number.POSITIVE_INFINITY);
    expectWithin('SGD', 'weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
    if (nesterov && momentum === 0) throw new ValueError('SGD: nesterov needs a momentum');
  }

  protected slotNames({ momentum }: Required<SGDOptions>): Readonly<Record<string, string>> {
    return momentum === 0 ? {} : { velocity: 'momentum_buffer' };
  }

  protected update({ fillings, bounds, lr, options }: Updates<Required<SGDOptions>>): void {
    const { momentum, nesterov, weightDecay } = options;
    const form = momentum === 0 ? plain : nesterov ? nesterovBall : heavyBall;
    const others = { squares: bounds.squares, ...(momentum === 0 ? { velocity: null } : {}) };
    runSlots(form[bounds.kind], fillings, others, { learningRate: lr, weightDecay, momentum, limit: bounds.limit });
  }
}
