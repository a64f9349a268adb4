// Reverse-mode differentiation over a graph of nodes (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3).
// A node knows its inputs' nodes, what it saved, and how to turn the gradient of its output into those of its inputs.
import { inspect, searching } from './anomaly.ts';
import { expectFunction, expectOptions, expectTensor } from './arguments.ts';
import { Checkpoint, running } from './checkpoint.ts';
import { expectDtype } from './dtype.ts';
import { GradientError, ShapeError, ValueError } from './errors.ts';
import { currentPlace, forPurpose, type Place, within } from './places.ts';
import { storageOf } from './runtime/memoryRange.ts';
import { adopt, keep, scope } from './runtime/scope.ts';
import { aliasOf, gradOf, leafOf, producerOf, setGrad, setProducer } from './runtime/tensorBase.ts';
import type { Tensor } from './tensor.ts';

/** Tensors by the operation's own names for them; null where an optional one was not given. */
export type Tensors = Readonly<Record<string, Tensor | null>>;

/** The gradients a backward function returns; what is not needed may be null, false or absent. */
export type Gradients<I> = { readonly [K in keyof I]?: Tensor | null | false };

/** How an operation is differentiated. */
export interface Rule<I extends Tensors, S extends Tensors> {
  /** Everything that backward keeps alive. */
  readonly saves: S;
  /** From the gradient of the output to the gradients of the inputs, each of its input's shape. Written with operations. */
  readonly backward: (dy: Tensor, saved: S, needs: { readonly [K in keyof I]: boolean }) => Gradients<I>;
  /**
   * The output once more from what was saved, for one that is cheap to compute: operations that save it keep no copy, but
   * have it computed again in backward. Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
   */
  readonly recompute?: ((saved: S) => Tensor) | null;
}

let recording = true;
let nodesMade = 0;

/** Whether operations record how to differentiate them. */
export function gradEnabled(): boolean {
  return recording;
}

/**
 * Runs `fn` without recording: its results do not require gradients. Throws ValueError when `fn` returns a promise: what
 * it does later would be recorded.
 */
export function noGrad<T>(fn: () => T): T {
  expectFunction('noGrad', fn);
  const result = withRecording(false, fn);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new ValueError(
      'noGrad: the function returned a promise; it is synchronous: put it around each synchronous part',
    );
  }
  return result;
}

function withRecording<T>(enabled: boolean, fn: () => T): T {
  const before = recording;
  recording = enabled;
  try {
    return fn();
  } finally {
    recording = before;
  }
}

/** One recorded operation. Counted by references: its output, the nodes after it, and aliases of its output. */
export class GraphNode {
  readonly name: string;
  readonly order: number = nodesMade++;
  readonly #place: Place | null = currentPlace();
  readonly #rule: Rule<Tensors, Tensors>;
  readonly #edges: ReadonlyMap<string, GraphNode | Tensor>;
  readonly #checkpoint: Checkpoint | null = running();
  /** The inputs' names; a gradient under another name is refused. */
  readonly #names: readonly string[];
  readonly #shapes = new Map<string, readonly number[]>();
  #saved: Tensors | null = null;
  /** The version of each saved tensor's memory: what was written since is refused. */
  readonly #versions = new Map<string, number>();
  /** The nodes of saved tensors that are computed again, by their names. */
  readonly #recomputed = new Map<string, GraphNode>();
  #savedOutput: string | null = null;
  #freed = false;
  #references = 1;
  #released = false;

  constructor(name: string, y: Tensor, inputs: Tensors, rule: Rule<Tensors, Tensors>) {
    this.name = name;
    this.#rule = rule;
    const edges = new Map<string, GraphNode | Tensor>();
    for (const [key, input] of Object.entries(inputs)) {
      const target = input && (nodeOf(input)?.retain() ?? leafOf(input));
      if (!target) continue;
      edges.set(key, target);
      this.#shapes.set(key, input.shape);
    }
    this.#edges = edges;
    this.#names = Object.keys(inputs);
    if (this.#checkpoint) this.#checkpoint.add(this, y);
    else this.save(y, rule.saves);
  }

  /** Keeps what backward needs; in a checkpointed function this is done when it runs again. */
  save(y: Tensor, saves: Tensors): void {
    if (this.#freed || this.#saved) return;
    const saved: Record<string, Tensor | null> = {};
    for (const [key, tensor] of Object.entries(saves)) {
      const source = tensor && nodeOf(tensor);
      if (source?.isRecomputed) {
        this.#recomputed.set(key, source.retain());
        continue;
      }
      // The output is saved without its node: a node that refers to itself would never be freed.
      if (tensor === y) this.#savedOutput = key;
      saved[key] = tensor && aliasOf(tensor, tensor === y ? null : producerOf(tensor));
      if (tensor) this.#versions.set(key, storageOf(tensor).version);
    }
    this.#saved = saved;
  }

  /** Whether operations that save the output have it computed again. */
  get isRecomputed(): boolean {
    return Boolean(this.#rule.recompute);
  }

  /** The nodes and leaves that gradients go to, by input name. */
  get edges(): ReadonlyMap<string, GraphNode | Tensor> {
    return this.#edges;
  }

  /** The gradients of the inputs for the gradient `dy` of the output. Throws GradientError once the graph was freed. */
  backward(dy: Tensor): Map<string, Tensor> {
    const kept = this.#kept();
    const again = new Map<string, Tensor>();
    const saved = this.#withRecomputed(kept, again);
    const outputKey = this.#savedOutput;
    const output = outputKey === null ? null : (kept[outputKey] ?? null);
    const attached =
      output && outputKey !== null && recording && isPlain(saved, outputKey) ? aliasOf(output, this) : null;
    if (attached && outputKey !== null) saved[outputKey] = attached;
    const needs: Record<string, boolean> = {};
    for (const key of Object.keys(this.#rule.saves)) needs[key] = false;
    for (const key of this.#edges.keys()) needs[key] = true;
    try {
      return within(this.#place, () =>
        forPurpose(`the gradient of ${this.name}`, () => {
          const found = scope(() => this.#rule.backward(dy, saved, needs));
          const gradients = this.#checked(found, [dy, ...Object.values(saved), ...again.values()]);
          if (searching()) for (const [key, gradient] of gradients) inspect(key, gradient, { dy, ...kept });
          return gradients;
        }),
      );
    } finally {
      attached?.dispose();
      for (const tensor of again.values()) tensor.dispose();
    }
  }

  /** What was saved; a checkpointed function runs again for it. */
  #kept(): Tensors {
    if (!this.#saved && !this.#freed && this.#checkpoint) {
      const again = this.#checkpoint;
      withRecording(true, () => again.repeat());
    }
    if (this.#saved) return this.#saved;
    throw new GradientError(
      `backward: the graph through ${this.name} was freed by an earlier backward; pass keepGraph to that one`,
    );
  }

  /** What was saved, with getters that compute the rest at first use, into `again`. */
  #withRecomputed(kept: Tensors, again: Map<string, Tensor>): Record<string, Tensor | null> {
    const saved = { ...kept };
    this.#markStale(kept, saved);
    for (const [key, node] of this.#recomputed) {
      const get = (): Tensor => {
        const tensor = again.get(key) ?? keep(node.#output());
        again.set(key, tensor);
        return tensor;
      };
      Object.defineProperty(saved, key, { get });
    }
    return saved;
  }

  /** Replaces what was written in place since it was saved by a getter that throws: backward may not need it. */
  #markStale(kept: Tensors, saved: Record<string, Tensor | null>): void {
    for (const [key, version] of this.#versions) {
      const tensor = kept[key];
      if (!tensor || storageOf(tensor).version === version) continue;
      const what = key === this.#savedOutput ? 'its result' : key;
      const { writer } = storageOf(tensor);
      delete saved[key];
      Object.defineProperty(saved, key, {
        get: () => {
          throw new GradientError(
            `backward: the gradient of ${this.name} needs ${what} [${tensor.shape.join(', ')}] as it was, and ${writer} has changed it in place; call backward() before the update, or compute the loss again after it`,
          );
        },
      });
    }
  }

  /** The output, computed again. */
  #output(): Tensor {
    const again = new Map<string, Tensor>();
    const { recompute } = this.#rule;
    const saved = this.#withRecomputed(this.#kept(), again);
    const y = withRecording(false, () => scope(() => recompute?.(saved))) as Tensor;
    for (const tensor of again.values()) tensor.dispose();
    if (recording) setProducer(y, this.retain());
    return y;
  }

  /** The gradients that were found; those that are tensors of others come as second handles. */
  #checked(found: Gradients<Tensors>, others: readonly (Tensor | null)[]): Map<string, Tensor> {
    const gradients = new Map<string, Tensor>();
    for (const key of Object.keys(found ?? this.#noGradients())) {
      if (this.#names.includes(key)) continue;
      throw new GradientError(
        `${this.name}: backward returned a gradient for ${key}, which is not one of its inputs (${this.#names.join(', ')})`,
      );
    }
    for (const [key, shape] of this.#shapes) {
      const gradient = found[key];
      if (!gradient) continue;
      expectGradient(this.name, key, gradient, shape);
      const borrowed = others.includes(gradient) || [...gradients.values()].includes(gradient);
      gradients.set(key, borrowed ? aliasOf(gradient, nodeOf(gradient)) : gradient);
    }
    return gradients;
  }

  #noGradients(): never {
    throw new GradientError(
      `${this.name}: backward returned nothing; return an object of gradients by input: { ${this.#names.join(', ')} }`,
    );
  }

  /** Frees what was saved. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    for (const tensor of Object.values(this.#saved ?? {})) tensor?.dispose();
    for (const node of this.#recomputed.values()) node.release();
    this.#saved = null;
    this.#checkpoint?.forget();
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Gives up one reference; the last frees this node and whatever before it nothing else refers to. */
  release(): void {
    const waiting: GraphNode[] = [this];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (--node.#references > 0 || node.#released) continue;
      node.#released = true;
      node.free();
      for (const edge of node.#edges.values()) if (edge instanceof GraphNode) waiting.push(edge);
    }
  }
}

/** Whether `key` holds a value and not a getter. */
function isPlain(saved: object, key: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(saved, key);
}

/** Throws ShapeError or DtypeError unless `gradient` fits the input `key` of shape `shape`. */
function expectGradient(name: string, key: string, gradient: Tensor, shape: readonly number[]): void {
  if (typeof gradient?.dtype !== 'string') {
    throw new GradientError(`${name}: backward must return a tensor for ${key}, got ${String(gradient)}`);
  }
  const fits = gradient.rank === shape.length && shape.every((size, dim) => size === gradient.shape[dim]);
  if (!fits) {
    throw new ShapeError(
      `${name}: backward must return a gradient of ${key}'s shape [${shape.join(', ')}], got [${gradient.shape.join(', ')}]`,
    );
  }
  expectDtype(`${name}: backward`, `the gradient of ${key}`, gradient, 'float32');
}

/**
 * Makes `y`, the result of an operation on `inputs`, differentiable, if any input requires gradients. Returns `y`.
 * Your own operations use it as Mien's do: dispatch kernels with `run`, then record how to go back.
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
  if (!recording || !Object.values(inputs).some((input) => input?.requiresGrad)) return y;
  const known = running()?.next(name, y, rule.saves);
  setProducer(y, known ?? new GraphNode(name, y, inputs, rule as unknown as Rule<Tensors, Tensors>));
  return y;
}

/**
 * fn(...inputs), of which only the inputs are kept for the gradient: backward runs `fn` again for the rest (Chen et al.,
 * Training deep nets with sublinear memory cost, 2016; `torch.utils.checkpoint`). Random numbers are the same in both runs,
 * and BatchNorm's running statistics count the first only. Tensors that `fn` uses besides must live until then. Within
 * another checkpoint it only calls `fn`. Throws GradientError, in backward, where the second run differs.
 */
export function checkpoint<I extends readonly Tensor[], T>(fn: (...inputs: I) => T, ...inputs: I): T {
  expectFunction('checkpoint', fn);
  for (const [i, input] of inputs.entries()) expectTensor('checkpoint', `input ${i}`, input);
  if (!recording || running()) return fn(...inputs);
  return new Checkpoint(fn as unknown as (...inputs: Tensor[]) => T, inputs).start(inputs) as T;
}

/** Whether a checkpointed function runs for the second time: what counts runs must not count this one. */
export function recomputing(): boolean {
  return running()?.repeating ?? false;
}

/** How far backward goes. */
export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can be called again. */
  readonly keepGraph?: boolean;
  /** Make the gradients differentiable themselves; keeps the graph. */
  readonly createGraph?: boolean;
}

/**
 * Propagates `seed`, the gradient of `root`, to every leaf before it. `reached` is called once a contribution, with a
 * gradient that it may take out of the surrounding scope; a node in `stops` gets its whole gradient and is not passed.
 */
export function propagate(
  root: Tensor,
  seed: Tensor,
  options: BackwardOptions,
  reached: (target: Tensor | GraphNode, gradient: Tensor) => void,
  stops: ReadonlySet<GraphNode> = new Set(),
): void {
  const { createGraph = false, keepGraph = createGraph } = options;
  scope(() =>
    withRecording(createGraph, () => {
      const start = nodeOf(root);
      if (!start) {
        const leaf = leafOf(root);
        if (leaf) reached(leaf, seed);
        return;
      }
      const pending = new Map<GraphNode, Tensor>([[start, aliasOf(seed, producerOf(seed))]]);
      for (const node of nodesBefore(start, stops)) {
        const dy = pending.get(node);
        if (!dy) continue;
        pending.delete(node);
        if (stops.has(node)) {
          reached(node, dy);
          continue;
        }
        for (const [key, gradient] of node.backward(dy)) {
          const edge = node.edges.get(key) as GraphNode | Tensor;
          if (!(edge instanceof GraphNode)) {
            reached(edge, gradient);
            continue;
          }
          const sum = pending.get(edge);
          pending.set(edge, sum ? sum.add(gradient) : gradient);
          if (sum) {
            sum.dispose();
            gradient.dispose();
          }
        }
        dy.dispose();
        if (!keepGraph) node.free();
      }
    }),
  );
}

/** The nodes that `start` depends on, itself first, every node before those it depends on. */
function nodesBefore(start: GraphNode, stops: ReadonlySet<GraphNode>): readonly GraphNode[] {
  const seen = new Set<GraphNode>([start]);
  for (const node of seen) {
    if (stops.has(node)) continue;
    for (const edge of node.edges.values()) if (edge instanceof GraphNode) seen.add(edge);
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** The node of the operation that made `x`, if recorded. */
export function nodeOf(x: Tensor): GraphNode | null {
  return producerOf(x) as GraphNode | null;
}

/** Adds `gradient` to the leaf's `grad`, which the leaf owns. */
export function accumulate(leaf: Tensor, gradient: Tensor): void {
  const before = gradOf(leaf);
  setGrad(leaf, before ? before.add(gradient) : aliasOf(gradient, nodeOf(gradient)));
}

/**
 * The gradient function of `fn` by its first argument, as in JAX: `grad(fn)(x, ...)` has the shape of x. `fn` returns one
 * element. Nested, it gives derivatives of higher order: `grad(grad(fn))`. The result is differentiable by every tensor
 * that `fn` used and that requires gradients, parameters that it closes over included: a gradient penalty trains them.
 */
export function grad(fn: (x: Tensor, ...rest: Tensor[]) => Tensor): (x: Tensor, ...rest: Tensor[]) => Tensor {
  expectFunction('grad', fn);
  return (x, ...rest) =>
    scope(() => {
      expectDtype('grad', 'x', x, 'float32');
      const probe = withRecording(true, () => probeOf(x));
      const y = withRecording(true, () => fn(probe, ...rest));
      expectTensor('grad', 'the result of the function', y);
      if (y.size !== 1)
        throw new GradientError(`grad: the function must return one element, got [${y.shape.join(', ')}]`);
      const node = nodeOf(probe);
      const target = node ?? probe;
      const stops = new Set(node ? [node] : []);
      const createGraph = recording && (x.requiresGrad || reachesOther(y, probe, stops));
      let found = x.mul(0);
      const take = (reached: Tensor | GraphNode, gradient: Tensor): void => {
        if (reached === target) found = keep(found.add(gradient));
      };
      if (y.requiresGrad) propagate(y, y.mul(0).add(1).detach(), { createGraph }, take, stops);
      return adopt(found);
    });
}

/** Whether `y` depends on a leaf other than `probe`. */
function reachesOther(y: Tensor, probe: Tensor, stops: ReadonlySet<GraphNode>): boolean {
  const node = nodeOf(y);
  if (!node) return leafOf(y) !== null && leafOf(y) !== probe;
  return nodesBefore(node, stops).some(
    (before) =>
      !stops.has(before) && [...before.edges.values()].some((edge) => !(edge instanceof GraphNode) && edge !== probe),
  );
}

/** The same values as x, as a place to differentiate by: a node of its own, or a leaf where x is a constant. */
function probeOf(x: Tensor): Tensor {
  if (!x.requiresGrad) return x.detach({ requiresGrad: true });
  return record('grad', x.detach(), { x }, { saves: {}, backward: (dy) => ({ x: dy }) });
}
