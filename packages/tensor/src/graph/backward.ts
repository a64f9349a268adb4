// Reverse-mode differentiation: walks the graph from its outputs, newest node first.
import { scope } from '../runtime/scope.ts';
import { aliasOf, gradOf, leafOf, producerOf, setGrad } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { withGradEnabled } from './mode.ts';
import { type GradientTarget, GraphNode, nodeOf } from './node.ts';

/** How far backward goes. */
export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can be called again. */
  readonly keepGraph?: boolean;
  /** Make the gradients differentiable themselves; keeps the graph. */
  readonly createGraph?: boolean;
}

/** An output to differentiate, and its gradient. */
export interface Root {
  readonly output: Tensor;
  readonly gradient: Tensor;
}

/**
 * Computes the gradients of `targets`, or of every leaf without them, and calls `onGradient` with each contribution to a
 * leaf and with the complete gradient of a node, which the surrounding scope disposes of.
 */
export function propagate(
  roots: readonly Root[],
  options: BackwardOptions,
  onGradient: (target: GradientTarget, gradient: Tensor) => void,
  targets: ReadonlySet<GradientTarget> | null = null,
): void {
  const { createGraph = false, keepGraph = createGraph } = options;
  scope(() =>
    withGradEnabled(createGraph, () => {
      const pending = new Map<GraphNode, Tensor>();
      const add = (target: GradientTarget, gradient: Tensor): void => {
        if (!(target instanceof GraphNode)) {
          onGradient(target, gradient);
          gradient.dispose();
          return;
        }
        const sum = pending.get(target);
        pending.set(target, sum ? sum.add(gradient) : gradient);
        if (sum) for (const summand of [sum, gradient]) summand.dispose();
      };
      const starts = roots.flatMap(({ output }) => nodeOf(output) ?? []);
      const nodes = nodesBefore(starts);
      const needed = targets && nodesTowards(targets, nodes);
      const isNeeded = (target: GradientTarget): boolean =>
        !targets || targets.has(target) || (target instanceof GraphNode && Boolean(needed?.has(target)));
      for (const { output, gradient } of roots) {
        const target = nodeOf(output) ?? leafOf(output);
        if (target && isNeeded(target)) add(target, aliasOf(gradient, producerOf(gradient)));
      }
      for (const node of nodes) {
        const dy = pending.get(node);
        if (!dy) continue;
        pending.delete(node);
        if (targets?.has(node)) onGradient(node, dy);
        if (!needed || needed.has(node)) {
          for (const [key, gradient] of node.backward(dy, isNeeded))
            add(node.edges.get(key) as GradientTarget, gradient);
          if (!keepGraph) node.free();
        }
        dy.dispose();
      }
    }),
  );
}

/** The nodes that `starts` depend on, these included, every node before those it depends on. `stops` are not passed. */
export function nodesBefore(
  starts: Iterable<GraphNode>,
  stops: ReadonlySet<GradientTarget> = new Set(),
): readonly GraphNode[] {
  const nodes = new Set<GraphNode>(starts);
  for (const node of nodes) {
    if (stops.has(node)) continue;
    for (const target of node.edges.values()) if (target instanceof GraphNode) nodes.add(target);
  }
  return [...nodes].sort((a, b) => b.order - a.order);
}

/** Those of `nodes`, which are sorted as `nodesBefore` does, whose inputs depend on a target or are one. */
function nodesTowards(targets: ReadonlySet<GradientTarget>, nodes: readonly GraphNode[]): ReadonlySet<GradientTarget> {
  const found = new Set<GradientTarget>();
  for (const node of [...nodes].reverse()) {
    for (const target of node.edges.values()) {
      if (!targets.has(target) && !found.has(target)) continue;
      found.add(node);
      break;
    }
  }
  return found;
}

/** Adds `gradient` to the leaf's `grad`, which the leaf owns, unless the leaf was frozen since. */
export function accumulate(leaf: Tensor, gradient: Tensor): void {
  if (!leaf.requiresGrad) return;
  const before = gradOf(leaf);
  setGrad(leaf, before ? before.add(gradient) : aliasOf(gradient, producerOf(gradient)));
}
