// The tensors that operations save for backward: kept ones, and outputs that are computed again.
import { GradientError } from '../errors.ts';
import { storageOf } from '../runtime/memoryRange.ts';
import { aliasOf, type Producer, producerOf } from '../runtime/tensorBase.ts';
import { show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { gradEnabled } from './mode.ts';
import type { Tensors } from './rule.ts';

/** An operation whose output can be computed again from what it saved itself. */
export interface Recomputable extends Producer {
  /** The output, computed again; the caller disposes of it. */
  recompute(): Tensor;
}

/** A tensor that was kept. */
interface Kept {
  readonly tensor: Tensor;
  /** Writes to its memory until then: it is stale once there were more. */
  readonly version: number;
  /** Whether it is the output of the operation that saved it. */
  readonly isOutput: boolean;
}

/** The tensors that one operation saved, by name. */
export class SavedTensors {
  readonly #kept = new Map<string, Kept | null>();
  readonly #recomputed = new Map<string, Recomputable>();

  /** Saves a tensor, or null where an optional one is absent. */
  keep(key: string, tensor: Tensor | null, isOutput: boolean): void {
    if (!tensor) {
      this.#kept.set(key, null);
      return;
    }
    // The output is kept without its node: a node that refers to itself would never be freed.
    const kept = aliasOf(tensor, isOutput ? null : producerOf(tensor));
    this.#kept.set(key, { tensor: kept, version: storageOf(tensor).version, isOutput });
  }

  /** Saves the output of `node`, which computes it again. */
  recompute(key: string, node: Recomputable): void {
    this.#recomputed.set(key, node.retain());
  }

  /** The tensors that were kept. */
  tensors(): Record<string, Tensor> {
    const tensors: Record<string, Tensor> = {};
    for (const [key, kept] of this.#kept) if (kept) tensors[key] = kept.tensor;
    return tensors;
  }

  /** The saved tensors for one call of `node`'s backward or recompute function. */
  open(node: Producer): OpenedTensors {
    return new OpenedTensors(node, this.#kept, this.#recomputed);
  }

  release(): void {
    for (const kept of this.#kept.values()) kept?.tensor.dispose();
    for (const node of this.#recomputed.values()) node.release();
  }
}

/** Saved tensors as a function reads them: what it does not read is neither checked nor computed again. */
export class OpenedTensors {
  /** By name; a property that needs a check or a computation does it when it is read. */
  readonly values: Tensors;
  readonly #node: Producer;
  /** Tensors that were made for this call. */
  readonly #made = new Map<string, Tensor>();

  constructor(node: Producer, kept: ReadonlyMap<string, Kept | null>, recomputed: ReadonlyMap<string, Recomputable>) {
    this.#node = node;
    const values: Record<string, Tensor | null> = {};
    const readLater = (key: string, read: () => Tensor): void => {
      Object.defineProperty(values, key, { enumerable: true, get: read });
    };
    for (const [key, each] of kept) {
      if (each && isStale(each)) readLater(key, () => this.#refuse(key, each));
      else if (each?.isOutput && gradEnabled()) readLater(key, () => this.#once(key, () => aliasOf(each.tensor, node)));
      else values[key] = each?.tensor ?? null;
    }
    for (const [key, other] of recomputed) readLater(key, () => this.#once(key, () => other.recompute()));
    this.values = values;
  }

  /** Tensors that were made for this call. */
  get made(): Iterable<Tensor> {
    return this.#made.values();
  }

  /** Disposes of the tensors that were made for this call. */
  close(): void {
    for (const tensor of this.#made.values()) tensor.dispose();
  }

  #once(key: string, make: () => Tensor): Tensor {
    const tensor = this.#made.get(key) ?? make();
    this.#made.set(key, tensor);
    return tensor;
  }

  #refuse(key: string, { tensor, isOutput }: Kept): never {
    const { writer } = storageOf(tensor);
    throw new GradientError(
      `backward: the gradient of ${this.#node.name} needs the old value of ${isOutput ? 'its result' : key} ${show(tensor.shape)}, but ${writer} has changed it in place; call backward() before the update, or compute the loss again after it`,
    );
  }
}

function isStale({ tensor, version }: Kept): boolean {
  return storageOf(tensor).version !== version;
}
