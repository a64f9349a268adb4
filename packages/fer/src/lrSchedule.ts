// Learning-rate schedules as checkpoints store them.
import { cosine, stepLR, warmUp } from '@mien/nn';

/**
 * The learning rate's schedule. `stepwise`: constant until epoch `after`, then multiplied by `factor` every `every` epochs.
 * `cosine`: rises over `warmup` epochs, then falls to 0 along half a cosine, step by step.
 */
export type LrScheduleConfig =
  | { readonly kind: 'stepwise'; readonly after: number; readonly every: number; readonly factor: number }
  | { readonly kind: 'cosine'; readonly warmup: number };

/** The factor of the learning rate at step `step` of `steps` in epoch `epoch` of `epochs`, from 0. */
export function lrFactor(
  schedule: LrScheduleConfig,
  epochs: number,
  epoch: number,
  step: number,
  steps: number,
): number {
  if (schedule.kind === 'stepwise') {
    const { after, every, factor } = schedule;
    return epoch <= after ? 1 : stepLR({ stepSize: every, gamma: factor })(epoch - after);
  }
  const rising = Math.round(schedule.warmup * steps);
  const falling = cosine(Math.max(1, epochs * steps - rising));
  const at = epoch * steps + step;
  return rising > 0 ? warmUp(rising, falling)(at) : falling(at);
}
