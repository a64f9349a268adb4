// Gradients as values that leave `.grad` alone: of a function, as in JAX, or of outputs by inputs, as torch.autograd.grad.
import { expectBoolean, expectFunction, expectOptions, expectTensor, kindOf } from './arguments.ts';
import { record } from './autograd.ts';
import { expectDtype } from './dtype.ts';
import { GradientError, ShapeError, ValueError } from './errors.ts';
import { nodesBefore, propagate, type Root } from './graph/backward.ts';
import { gradEnabled, withGradEnabled } from './graph/mode.ts';
import { type GradientTarget, GraphNode, nodeOf } from './graph/node.ts';
import { ones } from './ops/create.ts';
import { adopt, keep, scope } from './runtime/scope.ts';
import { aliasOf, leafOf, producerOf } from './runtime/tensorBase.ts';
import { show } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Options of grad(outputs, inputs). */
export interface GradOptions {
  /** The gradient of each output, of its shape. Required for outputs of more than one element; default 1. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[];
  /** Keep what the graph saved, so that it can be differentiated again. Default: as `createGraph`. */
  readonly keepGraph?: boolean;
  /** Make the gradients differentiable themselves. */
  readonly createGraph?: boolean;
  /** Return null for inputs that the outputs do not depend on, instead of throwing. */
  readonly allowUnused?: boolean;
}

const optionNames = ['gradOutputs', 'keepGraph', 'createGraph', 'allowUnused'];

/**
 * grad(fn) is the gradient function of `fn` by its first argument, as in JAX: `grad(fn)(x, ...)` has the shape of x. `fn`
 * returns one element. Nested, it gives derivatives of higher order: `grad(grad(fn))`. The result is differentiable by every
 * tensor that `fn` used and that requires gradients, parameters that it closes over included: a gradient penalty trains them.
 *
 * grad(outputs, inputs) is the list of gradients of the sum of `outputs` by each input, as torch.autograd.grad: it leaves
 * `.grad` as it is. Inputs are leaves or results of operations. Throws GradientError for an input that requires no gradient
 * or that the outputs do not depend on, unless `allowUnused`.
 */
export function grad(fn: (x: Tensor, ...rest: Tensor[]) => Tensor): (x: Tensor, ...rest: Tensor[]) => Tensor;
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): Tensor[];
export function grad(
  target: ((x: Tensor, ...rest: Tensor[]) => Tensor) | Tensor | readonly Tensor[],
  inputs?: Tensor | readonly Tensor[],
  options: GradOptions = {},
): ((x: Tensor, ...rest: Tensor[]) => Tensor) | (Tensor | null)[] {
  if (typeof target === 'function') return gradOfFunction(target);
  if (inputs === undefined) expectFunction('grad', target);
  return gradOfOutputs(listOf('outputs', target), listOf('inputs', inputs), options);
}

function gradOfFunction(fn: (x: Tensor, ...rest: Tensor[]) => Tensor): (x: Tensor, ...rest: Tensor[]) => Tensor {
  return (x, ...rest) =>
    scope(() => {
      expectDtype('grad', 'x', x, 'float32');
      const probe = withGradEnabled(true, () => probeOf(x));
      const y = withGradEnabled(true, () => fn(probe, ...rest));
      expectTensor('grad', 'the result of the function', y);
      if (y.size !== 1) throw new GradientError(`grad: the function must return one element, got ${show(y.shape)}`);
      const target = nodeOf(probe) ?? probe;
      const createGraph = gradEnabled() && (x.requiresGrad || dependsOnOther(y, target));
      let sum = x.mul(0);
      const onGradient = (_: GradientTarget, gradient: Tensor): void => {
        sum = keep(sum.add(gradient));
      };
      if (y.requiresGrad) {
        propagate([{ output: y, gradient: ones(y.shape) }], { createGraph }, onGradient, new Set([target]));
      }
      return adopt(sum);
    });
}

/** The same values as x, as a place to differentiate by: a node of its own, or a leaf where x is a constant. */
function probeOf(x: Tensor): Tensor {
  if (!x.requiresGrad) return x.detach({ requiresGrad: true });
  return record('grad', x.detach(), { x }, { saves: {}, backward: (dy) => ({ x: dy }) });
}

/** Whether `y` depends on a leaf other than by `target`. */
function dependsOnOther(y: Tensor, target: GradientTarget): boolean {
  const node = nodeOf(y);
  if (!node) return leafOf(y) !== null && leafOf(y) !== target;
  return nodesBefore([node], new Set([target])).some(
    (each) =>
      each !== target && [...each.edges.values()].some((edge) => !(edge instanceof GraphNode) && edge !== target),
  );
}

function gradOfOutputs(outputs: readonly Tensor[], inputs: readonly Tensor[], options: GradOptions): (Tensor | null)[] {
  expectOptions('grad', options, optionNames);
  const { createGraph = false, keepGraph = createGraph, allowUnused = false } = options;
  for (const [name, value] of Object.entries({ createGraph, keepGraph, allowUnused }))
    expectBoolean('grad', name, value);
  const targets = inputs.map(targetOf);
  const sums = new Map<GradientTarget, Tensor>();
  scope(() => {
    const onGradient = (target: GradientTarget, gradient: Tensor): void => {
      const before = sums.get(target);
      sums.set(target, keep(before ? before.add(gradient) : aliasOf(gradient, producerOf(gradient))));
      before?.dispose();
    };
    propagate(rootsOf(outputs, options), { createGraph, keepGraph }, onGradient, new Set(targets));
  });
  const taken = new Set<GradientTarget>();
  const gradients = targets.map((target) => {
    const sum = sums.get(target);
    if (!sum) return null;
    // An input that is listed twice gets two tensors.
    const gradient = taken.has(target) ? aliasOf(sum, producerOf(sum)) : sum;
    taken.add(target);
    return adopt(gradient);
  });
  const unused = gradients.indexOf(null);
  if (unused < 0 || allowUnused) return gradients;
  for (const gradient of gradients) gradient?.dispose();
  throw new GradientError(
    `grad: the outputs do not depend on input ${unused} ${show((inputs[unused] as Tensor).shape)}; leave it out, or pass allowUnused: true to get null for it`,
  );
}

function targetOf(input: Tensor, index: number): GradientTarget {
  const target = nodeOf(input) ?? leafOf(input);
  if (target) return target;
  throw new GradientError(
    `grad: input ${index} ${show(input.shape)} requires no gradient; make it with requiresGrad: true`,
  );
}

function rootsOf(outputs: readonly Tensor[], { gradOutputs }: GradOptions): readonly Root[] {
  const given = gradOutputs === undefined ? [] : Array.isArray(gradOutputs) ? gradOutputs : [gradOutputs];
  if (gradOutputs !== undefined && given.length !== outputs.length) {
    throw new ValueError(`grad: expected a gradient for each of ${outputs.length} outputs, got ${given.length}`);
  }
  return outputs.map((output, i) => {
    const what = `output ${i} ${show(output.shape)}`;
    if (!output.requiresGrad) throw new GradientError(`grad: ${what} depends on no tensor that requires a gradient`);
    const gradient: unknown = given[i] ?? null;
    if (gradient === null) {
      if (output.size === 1) return { output, gradient: ones(output.shape) };
      throw new GradientError(`grad: ${what} has ${output.size} elements; reduce it to one, or pass gradOutputs`);
    }
    expectDtype('grad', `gradOutputs ${i}`, gradient as Tensor, 'float32');
    const { shape } = gradient as Tensor;
    if (show(shape) === show(output.shape)) return { output, gradient: gradient as Tensor };
    throw new ShapeError(`grad: ${what} needs a gradient of its shape, got ${show(shape)}`);
  });
}

function listOf(name: string, value: unknown): readonly Tensor[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new ValueError(`grad: ${name} must not be empty, got ${kindOf(value)}`);
  for (const [i, each] of list.entries()) expectTensor('grad', `${name} ${i}`, each);
  return list as readonly Tensor[];
}
