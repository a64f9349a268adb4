// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as torch.optim defines them.

import adam from '@mien/shaders/optim/adam.wgsl';
import { kernel, live } from '@mien/tensor';
import { checkedOptions, expectList, optionNames } from '@mien/tensor/internal';
import { clipVariants } from './clip.ts';
import { expectWithin, Optimizer, type OptimizerParameters, type Updates } from './optimizer.ts';
import { runSlots } from './slots.ts';

const kernels = clipVariants((clip) => kernel(adam, clip));

export interface AdamOptions {
  /** Learning rate. Default 0.001. */
  readonly lr?: number;
  /** Decay of the moving averages of g and of g^2. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly eps?: number;
  /** Default 0 for Adam, 0.01 for AdamW. */
  readonly weightDecay?: number;
}

const names = optionNames<AdamOptions>({ lr: true, betas: true, eps: true, weightDecay: true });
const defaults = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } as const;

/** Base of Adam and AdamW, which differ in where weight decay enters. */
abstract class AdamFamily extends Optimizer<Required<AdamOptions>> {
  protected readonly countsSteps: boolean = true;

  /** Whether weight decay shrinks the parameter directly instead of entering the averages. */
  protected abstract readonly decoupled: boolean;

  protected check({ lr, betas, eps, weightDecay }: Required<AdamOptions>): void {
    const name = this.constructor.name;
    expectWithin(name, 'lr', lr, 0, Number.POSITIVE_INFINITY);
    expectList(name, 'betas', betas);
    for (const beta of betas) expectWithin(name, 'betas', beta, 0, 1);
    expectWithin(name, 'eps', eps, 0, Number.POSITIVE_INFINITY);
    expectWithin(name, 'weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
  }

  protected stateNames(): Readonly<Record<string, string>> {
    return { average: 'exp_avg', averageSquare: 'exp_avg_sq' };
  }

  protected update({ slots, clip, step, lr, options }: Updates<Required<AdamOptions>>): void {
    const [beta1, beta2] = options.betas;
    runSlots(
      kernels[clip.kind],
      slots,
      { squares: clip.squares },
      {
        decay: this.decoupled ? live(() => lr.value * options.weightDecay) : 0,
        weightDecay: this.decoupled ? 0 : options.weightDecay,
        beta1,
        beta2,
        newPart1: 1 - beta1,
        newPart2: 1 - beta2,
        stepSize: live(() => lr.value / (1 - beta1 ** step.value)),
        deviationScale: live(() => Math.sqrt(1 - beta2 ** step.value)),
        eps: options.eps,
        limit: clip.limit,
      },
    );
  }
}

/**
 * p -= lr m / (sqrt(s) + eps), where m and s are bias-corrected moving averages of g and g^2. State per parameter:
 * `exp_avg`, `exp_avg_sq`, `step`.
 */
export class Adam extends AdamFamily {
  constructor(parameters: OptimizerParameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(parameters, { ...defaults, ...checkedOptions('Adam', options, names) });
  }

  protected get decoupled(): boolean {
    return false;
  }
}

/** Adam with decoupled weight decay: parameters shrink by lr * weightDecay. Same state as Adam. */
export class AdamW extends AdamFamily {
  constructor(parameters: OptimizerParameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(parameters, { ...defaults, weightDecay: 0.01, ...checkedOptions('AdamW', options, names) });
  }

  protected get decoupled(): boolean {
    return true;
  }
}
