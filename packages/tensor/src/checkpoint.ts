// Gradient checkpointing: time for memory. Autograd asks it in three places: where a node is made, where it would save, and
// where what it saved is missing.
import type { GraphNode, Tensors } from './autograd.ts';
import { GradientError } from './errors.ts';
import { type Generator, repeatDraws, watchDraws } from './generator.ts';
import { currentPlace, type Place, within } from './places.ts';
import { currentRecording } from './runtime/live.ts';
import { Reads } from './runtime/reads.ts';
import { scope } from './runtime/scope.ts';
import { aliasOf, producerOf } from './runtime/tensorBase.ts';
import type { Tensor } from './tensor.ts';

let current: Checkpoint | null = null;

/** The checkpointed function that runs, if any. */
export function running(): Checkpoint | null {
  return current;
}

/**
 * A function whose nodes save nothing in its first run. The first backward to reach one of them runs it again: operation by
 * operation, the nodes of the first run then get what they would have saved.
 */
export class Checkpoint {
  readonly #fn: (...inputs: Tensor[]) => unknown;
  readonly #inputs: readonly Tensor[];
  readonly #place: Place | null = currentPlace();
  readonly #draws = new Map<Generator, number>();
  readonly #reads = new Reads();
  readonly #made: { readonly node: GraphNode; readonly shape: string }[] = [];
  /** How many nodes may still need a second run. */
  #waiting = 0;
  /** The node whose turn it is in the second run; null in the first. */
  #turn: number | null = null;

  constructor(fn: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[]) {
    this.#fn = fn;
    this.#inputs = inputs.map((input) => aliasOf(input, producerOf(input)));
  }

  /** Whether this is the second run. */
  get repeating(): boolean {
    return this.#turn !== null;
  }

  /** The first run. */
  start(inputs: readonly Tensor[]): unknown {
    const y = this.#reads.watch(() => watchDraws(this.#draws, () => this.#run(inputs)));
    if (this.#waiting === 0) this.#drop();
    return y;
  }

  /** The second run, by which every node gets what it saves; it must be recorded as the first was. */
  repeat(): void {
    if (current === this) {
      throw new GradientError('checkpoint: the function takes gradients itself; take them outside of it');
    }
    if (this.#draws.size > 0) {
      currentRecording()?.refuse(
        'a checkpointed function draws random numbers; leave the checkpoint or the capture out',
      );
    }
    const changed = this.#reads.changed;
    if (changed) {
      throw new GradientError(
        `checkpoint: ${changed.writer} changed in place what the function reads and must read again for its gradient; call backward() before the update, or compute the loss again after it`,
      );
    }
    this.#turn = 0;
    try {
      scope(() => repeatDraws(this.#draws, () => void this.#run(this.#inputs)));
      if (this.#turn < this.#made.length) throw this.#changed(`${this.#turn} operations, not ${this.#made.length}`);
    } finally {
      this.#turn = null;
    }
  }

  /** In the first run, notes a node and the result that it is of. */
  add(node: GraphNode, y: Tensor): void {
    this.#made.push({ node, shape: y.shape.join(', ') });
    this.#waiting++;
  }

  /** In the second run the node of the first that this operation made. */
  next(name: string, y: Tensor, saves: Tensors): GraphNode | null {
    if (this.#turn === null) return null;
    const made = this.#made[this.#turn++];
    const [actual, shape] = [name, y.shape.join(', ')];
    if (!made) throw this.#changed(`${actual} [${shape}] after all others`);
    if (made.node.name !== actual || made.shape !== shape) {
      throw this.#changed(`${actual} [${shape}], not ${made.node.name} [${made.shape}]`);
    }
    made.node.save(y, saves);
    return made.node.retain();
  }

  /** One node less that may need a second run. */
  forget(): void {
    if (--this.#waiting === 0 && current !== this) this.#drop();
  }

  #run(inputs: readonly Tensor[]): unknown {
    const before = current;
    current = this;
    try {
      return within(this.#place, () => scope(() => this.#fn(...inputs)));
    } finally {
      current = before;
    }
  }

  #drop(): void {
    for (const input of this.#inputs) input.dispose();
    this.#made.length = 0;
    this.#reads.clear();
  }

  #changed(what: string): GradientError {
    return new GradientError(
      `checkpoint: run again for its gradient, the function made ${what}; it must do the same each time: let it depend on its inputs only`,
    );
  }
}
