// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as torch.optim defines them.
import adam from '@mien/shaders/optim/adam.wgsl';
import { expectList, kernel, live } from '@mien/tensor';
import { clipping } from './clip.ts';
import { expectWithin, Optimizer, type Parameters, type Updates } from './optimizer.ts';
import { runSlots } from './slots.ts';

const forms = clipping((clip) => kernel(adam, clip));

export interface AdamOptions {
  /** Learning rate. Default 0.001. */
  readonly lr?: number;
  /** Part of the averages of g and of g^2 that is kept. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-8. */
  readonly eps?: number;
  /** Default 0 for Adam, 0.01 for AdamW. */
  readonly weightDecay?: number;
}

const defaults = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } as const;

/** What Adam and AdamW share; they differ in where weight decay enters. */
abstract class AdamFamily extends Optimizer<Required<AdamOptions>> {
  protected readonly countsSteps: boolean = true;

  /** Whether decay shrinks the parameter directly, past the averages. */
  protected abstract readonly decoupled: boolean;

  protected check({ lr, betas, eps, weightDecay }: Required<AdamOptions>): void {
    const name = this.constructor.name;
    expectWithin(name, 'lr', lr, 0, Number.POSITIVE_INFINITY);
    expectList(name, 'betas', betas);
    for (const beta of betas) expectWithin(name, 'betas', beta, 0, 1);
    expectWithin(name, 'eps', eps, 0, Number.POSITIVE_INFINITY);
    expectWithin(name, 'weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
  }

  protected slotNames(): Readonly<Record<string, string>> {
    return { average: 'exp_avg', averageSquare: 'exp_avg_sq' };
  }

  protected update({ fillings, bounds, step, lr, options }: Updates<Required<AdamOptions>>): void {
    const [beta1, beta2] = options.betas;
    runSlots(
      forms[bounds.kind],
      fillings,
      { squares: bounds.squares },
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
        limit: bounds.limit,
      },
    );
  }
}

/** p -= lr m / (sqrt(s) + eps), unbiased averages m of g and s of g^2. Its state is `exp_avg`, `exp_avg_sq`, `step`. */
export class Adam extends AdamFamily {
  constructor(parameters: Parameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(parameters, { ...defaults, ...options });
  }

  protected get decoupled(): boolean {
    return false;
  }
}

/** Adam whose weight decay shrinks parameters by lr * weightDecay, apart from the averages. State as of Adam. */
export class AdamW extends AdamFamily {
  constructor(parameters: Parameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(parameters, { ...defaults, weightDecay: 0.01, ...options });
  }

  protected get decoupled(): boolean {
    return true;
  }
}
