// Layers, and the protocol by which neighbors in a Sequential run in one pass.
import type { Epilogue, Tensor } from '@mien/tensor';
import { optionNames } from '@mien/tensor/internal';
import { describesForward, type Module } from './module.ts';

/** The names of `Epilogue` without `norm`, as most layers take it. */
export const epilogueOptions: readonly string[] = optionNames<Omit<Epilogue, 'norm'>>({ residual: true, relu: true });

/** A layer's forward together with an epilogue. */
export type FusedForward = (x: Tensor) => Tensor;

/**
 * A module that maps one tensor to one tensor, as Sequential chains them. A layer of your own runs in one pass with its
 * neighbors if it has one of the optional methods. A subclass that overrides `forward` must override them too: inherited
 * ones are ignored, as they describe another forward.
 */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
  /** The forward that computes `epilogue` in the same pass; null where this layer cannot. */
  fuse?(epilogue: Epilogue): FusedForward | null;
  /** This layer as an epilogue of the previous one; null where it is none at present. */
  asEpilogue?(): Epilogue | null;
}

/** `layer.fuse(epilogue)`, null where the layer has no such method or it describes an overridden forward. */
export function fuse(layer: Layer, epilogue: Epilogue): FusedForward | null {
  return layer.fuse && describesForward(layer, 'fuse') ? layer.fuse(epilogue) : null;
}

/** `layer.asEpilogue()`, null where the layer has no such method or it describes an overridden forward. */
export function asEpilogue(layer: Layer): Epilogue | null {
  return layer.asEpilogue && describesForward(layer, 'asEpilogue') ? layer.asEpilogue() : null;
}

/** Whether an epilogue does nothing. */
export function isEmpty({ norm, residual, relu = false }: Epilogue): boolean {
  return !norm && !residual && !relu;
}

/** `first`, then `next`, as one epilogue; null where the order norm, residual, relu does not allow it. */
export function joined(first: Epilogue, next: Epilogue): Epilogue | null {
  if (next.norm && !isEmpty(first)) return null;
  if (next.residual && (first.residual || first.relu)) return null;
  if (next.relu && first.relu) return null;
  return { ...first, ...next, relu: Boolean(first.relu || next.relu) };
}

/** relu(y + residual), in separate passes. */
export function finish(y: Tensor, { residual, relu = false }: Omit<Epilogue, 'norm'>): Tensor {
  const sum = residual ? y.add(residual) : y;
  return relu ? sum.relu() : sum;
}
