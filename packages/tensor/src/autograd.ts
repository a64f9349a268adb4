// Records operations, so that backward can differentiate them.
import { inspect } from './anomaly.ts';
import { expectFunction, expectOptions, expectTensor } from './arguments.ts';
import { Checkpoint, currentCheckpoint } from './graph/checkpoint.ts';
import { gradEnabled, noGrad } from './graph/mode.ts';
import { GraphNode } from './graph/node.ts';
import type { Rule, Tensors } from './graph/rule.ts';
import { setProducer } from './runtime/tensorBase.ts';
import type { Tensor } from './tensor.ts';

export { gradEnabled, noGrad };

/**
 * Makes `y`, the result of an operation on `inputs`, differentiable if any input requires gradients. Returns `y`. An operation of
 * yours dispatches kernels with `run`, then records its gradient.
 */
export function record<I extends Tensors, S extends Tensors>(
  name: string,
  y: Tensor,
  inputs: I,
  rule: Rule<I, S>,
): Tensor {
  expectTensor('record', 'the result', y);
  expectOptions('record', inputs);
  inspect(name, y, inputs);
  expectOptions('record', rule);
  expectOptions('record', rule.saves);
  expectFunction('record', rule.backward);
  // Every input is asked, as a captured function depends on all of them.
  if (!gradEnabled() || Object.values(inputs).filter((input) => input?.requiresGrad).length === 0) return y;
  const repeated = currentCheckpoint()?.resume(name, y, rule.saves);
  setProducer(y, repeated ?? new GraphNode(name, y, inputs, rule as unknown as Rule<Tensors, Tensors>));
  return y;
}

/**
 * fn(...inputs), keeping only the inputs for the gradient: backward runs `fn` again for the rest (Chen et al., Training deep nets
 * with sublinear memory cost, 2016; `torch.utils.checkpoint`). Random numbers are the same in both runs, and BatchNorm's running
 * statistics count the first only. Other tensors that `fn` uses must live until then. Within another checkpoint it only calls
 * `fn`. Throws GradientError, in backward, if the second run differs.
 */
export function checkpoint<I extends readonly Tensor[], T>(fn: (...inputs: I) => T, ...inputs: I): T {
  expectFunction('checkpoint', fn);
  for (const [i, input] of inputs.entries()) expectTensor('checkpoint', `input ${i}`, input);
  if (!gradEnabled() || currentCheckpoint()) return fn(...inputs);
  return new Checkpoint(fn as unknown as (...inputs: Tensor[]) => T, inputs).start(inputs) as T;
}

/** Whether a checkpointed function runs for the second time, which layers that count their calls must not count. */
export function recomputing(): boolean {
  return currentCheckpoint()?.isRepeating ?? false;
}
