// Gradient checkpointing: a function runs twice, so that its graph holds no memory between forward and backward.
import { GradientError } from '../errors.ts';
import { type Generator, repeatDraws, watchDraws } from '../generator.ts';
import { currentPlace, type Place, within } from '../places.ts';
import { currentRecording } from '../runtime/live.ts';
import { Reads } from '../runtime/reads.ts';
import { scope } from '../runtime/scope.ts';
import { aliasOf, type Producer, producerOf } from '../runtime/tensorBase.ts';
import { slot, withValue } from '../session.ts';
import { show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Tensors } from './rule.ts';

const current = slot<Checkpoint | null>(() => null);

/** The checkpointed function that runs, if any. */
export function currentCheckpoint(): Checkpoint | null {
  return current.value;
}

/** A node of a checkpointed function, which saves its tensors in the second run. */
export interface CheckpointedNode extends Producer {
  save(y: Tensor, saves: Tensors): void;
}

/**
 * A function whose nodes save nothing in its first run. The first backward to reach one of them runs it again, and each
 * operation of the second run gives the node of the first its saved tensors.
 */
export class Checkpoint {
  readonly #fn: (...inputs: Tensor[]) => unknown;
  readonly #inputs: readonly Tensor[];
  readonly #place: Place | null = currentPlace();
  readonly #draws = new Map<Generator, number>();
  readonly #reads = new Reads();
  /** The nodes of the first run, with the shapes of their outputs. */
  readonly #nodes: { readonly node: CheckpointedNode; readonly shape: string }[] = [];
  /** How many nodes may still need a second run. */
  #waiting = 0;
  /** The index of the next node in the second run; null in the first. */
  #next: number | null = null;

  constructor(fn: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]) {
    this.#fn = fn;
    this.#inputs = inputs.map((input) => aliasOf(input, producerOf(input)));
  }

  /** Whether this is the second run. */
  get isRepeating(): boolean {
    return this.#next !== null;
  }

  /** The first run. */
  start(inputs: readonly Tensor[]): unknown {
    const y = this.#reads.watch(() => watchDraws(this.#draws, () => this.#run(inputs)));
    if (this.#waiting === 0) this.#release();
    return y;
  }

  /** The second run, in which every node saves its tensors; recorded as the first was. */
  repeat(): void {
    if (current.value === this) {
      throw new GradientError('checkpoint: the function computes gradients itself; compute them outside of it');
    }
    if (this.#draws.size > 0) {
      currentRecording()?.refuse(
        'a checkpointed function draws random numbers; leave the checkpoint or the capture out',
      );
    }
    const changed = this.#reads.changed;
    if (changed) {
      throw new GradientError(
        `checkpoint: ${changed.writer} changed in place a tensor that the function must read again for its gradient; call backward() before the update, or compute the loss again after it`,
      );
    }
    this.#next = 0;
    try {
      scope(() => repeatDraws(this.#draws, () => void this.#run(this.#inputs)));
      if (this.#next < this.#nodes.length) throw differs(`${this.#next} operations, not ${this.#nodes.length}`);
    } finally {
      this.#next = null;
    }
  }

  /** Adds a node of the first run, whose output is `y`. */
  add(node: CheckpointedNode, y: Tensor): void {
    this.#nodes.push({ node, shape: show(y.shape) });
    this.#waiting++;
  }

  /** In the second run, has the node of the first run save its tensors, and returns a new reference to it; null in the first. */
  resume(name: string, y: Tensor, saves: Tensors): CheckpointedNode | null {
    if (this.#next === null) return null;
    const first = this.#nodes[this.#next++];
    const shape = show(y.shape);
    if (!first) throw differs(`${name} ${shape} after all others`);
    if (first.node.name !== name || first.shape !== shape) {
      throw differs(`${name} ${shape}, not ${first.node.name} ${first.shape}`);
    }
    first.node.save(y, saves);
    return first.node.retain();
  }

  /** Called once for each node that was freed; the last one frees the inputs. */
  nodeFreed(): void {
    if (--this.#waiting === 0 && current.value !== this) this.#release();
  }

  #run(inputs: readonly Tensor[]): unknown {
    return withValue(current, this, () => within(this.#place, () => scope(() => this.#fn(...inputs))));
  }

  #release(): void {
    for (const input of this.#inputs) input.dispose();
    this.#nodes.length = 0;
    this.#reads.clear();
  }
}

function differs(actual: string): GradientError {
  return new GradientError(
    `checkpoint: when run again for its gradient, the function made ${actual}; it must do the same each time, so let it depend on its inputs only`,
  );
}
