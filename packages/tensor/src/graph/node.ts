// One recorded operation in the graph that backward walks (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3).
import { inspect, searching } from '../anomaly.ts';
import { expectDtype } from '../dtype.ts';
import { GradientError, ShapeError } from '../errors.ts';
import { currentPlace, forPurpose, type Place, within } from '../places.ts';
import { keep, scope } from '../runtime/scope.ts';
import { aliasOf, leafOf, type Producer, producerOf, setProducer } from '../runtime/tensorBase.ts';
import { slot } from '../session.ts';
import { type Shape, show } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { type Checkpoint, currentCheckpoint } from './checkpoint.ts';
import { gradEnabled, withGradEnabled } from './mode.ts';
import type { Gradients, Rule, Tensors } from './rule.ts';
import { SavedTensors } from './saved.ts';

const nodeCount = slot(() => 0);

/** Where a gradient goes: to the operation that made an input, or to a leaf. */
export type GradientTarget = GraphNode | Tensor;

/** One recorded operation. Counted by references: its output, aliases of it, and the nodes after it. */
export class GraphNode implements Producer {
  readonly name: string;
  /** Larger than that of every node it depends on. */
  readonly order: number = nodeCount.value++;
  /** Where the gradients of its inputs go, by name; inputs that require none are absent. */
  readonly edges: ReadonlyMap<string, GradientTarget>;
  readonly #rule: Rule<Tensors, Tensors>;
  readonly #place: Place | null = currentPlace();
  readonly #checkpoint: Checkpoint | null = currentCheckpoint();
  /** The names of its inputs; a gradient under another name is refused. */
  readonly #inputs: readonly string[];
  /** The shapes of the inputs that require gradients. */
  readonly #shapes: ReadonlyMap<string, Shape>;
  /** Null until a checkpointed function runs again, and once freed. */
  #saved: SavedTensors | null = null;
  #freed = false;
  #references = 1;
  #released = false;

  constructor(name: string, y: Tensor, inputs: Tensors, rule: Rule<Tensors, Tensors>) {
    this.name = name;
    this.#rule = rule;
    const edges = new Map<string, GradientTarget>();
    const shapes = new Map<string, Shape>();
    for (const [key, input] of Object.entries(inputs)) {
      const target = input && (nodeOf(input)?.retain() ?? leafOf(input));
      if (!target) continue;
      edges.set(key, target);
      shapes.set(key, input.shape);
    }
    this.edges = edges;
    this.#shapes = shapes;
    this.#inputs = Object.keys(inputs);
    if (this.#checkpoint) this.#checkpoint.add(this, y);
    else this.save(y, rule.saves);
  }

  /** Keeps `saves` for backward; `y` is the output. */
  save(y: Tensor, saves: Tensors): void {
    if (this.#freed || this.#saved) return;
    const saved = new SavedTensors();
    for (const [key, tensor] of Object.entries(saves)) {
      const source = tensor && nodeOf(tensor);
      if (source?.isRecomputable) saved.recompute(key, source);
      else saved.keep(key, tensor, tensor === y);
    }
    this.#saved = saved;
  }

  /** Whether its output can be computed again, so that operations that save it keep no copy. */
  get isRecomputable(): boolean {
    return Boolean(this.#rule.recompute);
  }

  /** The gradients of the inputs that `isNeeded`, for the gradient `dy` of the output. Throws GradientError once the graph was freed. */
  backward(dy: Tensor, isNeeded: (target: GradientTarget) => boolean): Map<string, Tensor> {
    const saved = this.#savedTensors();
    const opened = saved.open(this);
    const needs: Record<string, boolean> = {};
    for (const key of this.#inputs) needs[key] = false;
    for (const [key, target] of this.edges) needs[key] = isNeeded(target);
    try {
      return within(this.#place, () =>
        forPurpose(`the gradient of ${this.name}`, () => {
          const returned = scope(() => this.#rule.backward(dy, opened.values, needs));
          const tensors = saved.tensors();
          const gradients = this.#checked(returned, needs, [dy, ...Object.values(tensors), ...opened.made]);
          if (searching()) for (const [key, gradient] of gradients) inspect(key, gradient, { dy, ...tensors });
          return gradients;
        }),
      );
    } finally {
      opened.close();
    }
  }

  /** The output, computed again; no scope owns it. */
  recompute(): Tensor {
    const opened = this.#savedTensors().open(this);
    const y = withGradEnabled(false, () => scope(() => this.#rule.recompute?.(opened.values))) as Tensor;
    opened.close();
    if (gradEnabled()) setProducer(y, this.retain());
    return keep(y);
  }

  /** The saved tensors, for which a checkpointed function runs again. */
  #savedTensors(): SavedTensors {
    const checkpoint = this.#checkpoint;
    if (!this.#saved && !this.#freed && checkpoint) withGradEnabled(true, () => checkpoint.repeat());
    if (this.#saved) return this.#saved;
    throw new GradientError(
      `backward: the graph through ${this.name} was freed by an earlier backward; pass keepGraph to that one`,
    );
  }

  /** The gradients that the rule returned; those that are one of `others` as aliases, which can be disposed of. */
  #checked(
    returned: Gradients<Tensors>,
    needs: Readonly<Record<string, boolean>>,
    others: readonly Tensor[],
  ): Map<string, Tensor> {
    if (!returned) {
      throw new GradientError(
        `${this.name}: backward returned nothing; return an object of gradients by input: { ${this.#inputs.join(', ')} }`,
      );
    }
    for (const key of Object.keys(returned)) {
      if (this.#inputs.includes(key)) continue;
      throw new GradientError(
        `${this.name}: backward returned a gradient for ${key}, which is not one of its inputs (${this.#inputs.join(', ')})`,
      );
    }
    const gradients = new Map<string, Tensor>();
    for (const [key, shape] of this.#shapes) {
      const gradient = returned[key];
      if (!gradient) continue;
      expectGradient(this.name, key, gradient, shape);
      if (!needs[key]) continue;
      const isShared = others.includes(gradient) || [...gradients.values()].includes(gradient);
      gradients.set(key, isShared ? aliasOf(gradient, producerOf(gradient)) : gradient);
    }
    return gradients;
  }

  /** Frees the saved tensors. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#saved?.release();
    this.#saved = null;
    this.#checkpoint?.nodeFreed();
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Gives up one reference; the last one frees this node and the nodes before it that nothing else refers to. */
  release(): void {
    const pending: GraphNode[] = [this];
    for (let node = pending.pop(); node; node = pending.pop()) {
      if (--node.#references > 0 || node.#released) continue;
      node.#released = true;
      node.free();
      for (const target of node.edges.values()) if (target instanceof GraphNode) pending.push(target);
    }
  }
}

/** The node of the operation that made `x`, if recorded. */
export function nodeOf(x: Tensor): GraphNode | null {
  return producerOf(x) as GraphNode | null;
}

/** Throws ShapeError or DtypeError unless `gradient` fits the input `key` of shape `shape`. */
function expectGradient(name: string, key: string, gradient: Tensor, shape: Shape): void {
  if (typeof gradient?.dtype !== 'string') {
    throw new GradientError(`${name}: backward must return a tensor for ${key}, got ${String(gradient)}`);
  }
  if (gradient.rank !== shape.length || shape.some((size, dim) => size !== gradient.shape[dim])) {
    throw new ShapeError(
      `${name}: backward must return a gradient of ${key}'s shape ${show(shape)}, got ${show(gradient.shape)}`,
    );
  }
  expectDtype(`${name}: backward`, `the gradient of ${key}`, gradient, 'float32');
}
