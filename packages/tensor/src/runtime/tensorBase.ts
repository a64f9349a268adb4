// The state of a tensor: its memory, its place in the graph and its gradient. `Tensor` adds the operations. The framework
// reaches the private part through the functions that the class's static block sets.
import { expectBoolean, expectOptions, expectTensor } from '../arguments.ts';
import { bytesPerElement, type DType, expectDtype, type TypedArray, typedArray } from '../dtype.ts';
import { DisposedError, DtypeError, GradientError, ShapeError, ValueError } from '../errors.ts';
import { type Shape, show, sizeOf } from '../shape.ts';
import { currentRecording } from './live.ts';
import { disown, type Holding, isOwnedHere, keep, Owned, own } from './scope.ts';
import type { Storage } from './storage.ts';

/** Numbers nested to the depth of a tensor's shape. */
export type NestedNumbers = number | NestedNumbers[];

/** The recorded operation that made a tensor, counted by references. */
export interface Producer {
  readonly name: string;
  retain(): this;
  release(): void;
}

/** The references of one tensor to its memory and to its graph node; released once. */
export class Share implements Holding {
  readonly storage: Storage;
  producer: Producer | null;
  released = false;

  constructor(storage: Storage, producer: Producer | null) {
    this.storage = storage;
    this.producer = producer;
  }

  get origin(): string {
    return this.producer?.name ?? 'tensor';
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.storage.release();
    this.producer?.release();
    this.producer = null;
  }
}

/** The memory of a tensor. Throws DisposedError once it was disposed of. */
export let storageOfTensor: (x: TensorBase) => Storage;
/** The recorded operation that made a tensor, or null. */
export let producerOf: (x: TensorBase) => Producer | null;
/** Makes a tensor the output of `producer`, taking over one reference to it. */
export let setProducer: (x: TensorBase, producer: Producer) => void;
/** The leaf that gradients of a tensor go to: itself, or the leaf that it is an alias of; null if it is neither, or frozen. */
export let leafOf: <T extends TensorBase>(x: T) => T | null;
/** Whether a tensor is a leaf or an alias of one, frozen or not. */
export let isLeaf: (x: TensorBase) => boolean;
/** Makes a tensor a leaf that backward fills the `grad` of. Throws DtypeError unless it is float32. */
export let makeLeaf: (x: TensorBase) => void;
/** The gradient that a leaf holds, without the alias that reading `grad` makes. */
export let gradOf: <T extends TensorBase>(leaf: T) => T | null;
/** Replaces the gradient of a leaf, which takes `gradient` over and disposes of the one before. */
export let setGrad: (leaf: TensorBase, gradient: TensorBase | null) => void;
/** A tensor over the same memory and, with `producer`, at the same place in the graph; no scope owns it. */
export let aliasOf: <T extends TensorBase>(x: T, producer: Producer | null) => T;
/** The same memory in another shape of equal size, outside the graph. */
export let viewOf: <T extends TensorBase>(x: T, shape: Shape) => T;
/** The same bits as another dtype, outside the graph. */
export let bitcast: <T extends TensorBase>(x: T, dtype: DType) => T;

/** The first values of a tensor, and the writes to its memory before they were read. */
interface Preview {
  readonly values: readonly number[];
  readonly version: number;
}

const previewLength = 6;

type MakeTensor<T> = new (share: Share, shape: Shape, dtype: DType, byteOffset: number, isOwned?: boolean) => T;

/** A tensor without its operations, which Tensor adds. */
export abstract class TensorBase extends Owned {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;
  /** Where the values begin in their device memory. */
  readonly byteOffset: number;
  readonly #share: Share;
  #leaf: TensorBase | null = null;
  #frozen = false;
  #grad: TensorBase | null = null;
  /** What `grad` returned or was given last. */
  #gradAlias: TensorBase | null = null;
  /** The first values, as `data()` read them last. */
  #preview: Preview | null = null;

  /** Takes `share` over, which is a Share: public types leave it out. */
  protected constructor(share: unknown, shape: Shape, dtype: DType, byteOffset: number, isOwned = true) {
    if (!(share instanceof Share)) throw new ValueError('Tensor: make tensors with tensor(), zeros() or empty()');
    super(share);
    this.#share = share;
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.byteOffset = byteOffset;
    if (isOwned) own(this);
  }

  /** The number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** The bytes of its values. */
  get bytes(): number {
    return this.size * bytesPerElement;
  }

  /**
   * Whether backward reaches it. Can be set where no operation made the tensor: false freezes a leaf, whose `grad` stays as it
   * is and which optimizers skip; true makes it a leaf. Throws GradientError for the result of an operation, DtypeError unless
   * the tensor is float32.
   */
  get requiresGrad(): boolean {
    const required = this.#share.producer !== null || leafOf(this) !== null;
    if (!this.#share.producer) currentRecording()?.noteRequiresGrad(this, this.#share.storage, required);
    return required;
  }

  set requiresGrad(requiresGrad: boolean) {
    expectBoolean('requiresGrad', 'the value', requiresGrad);
    const { producer } = this.#share;
    if (this.requiresGrad === requiresGrad) return;
    if (producer) {
      throw new GradientError(
        `requiresGrad: only a leaf can be frozen, and ${producer.name} made this tensor; detach() it to use its values without gradient`,
      );
    }
    if (!this.#leaf) makeLeaf(this);
    else this.#leaf.#frozen = !requiresGrad;
  }

  /**
   * The gradient that backward accumulated in this leaf, or null. A gradient that you read stays valid when this one is
   * cleared, replaced or added to: it is a tensor of the innermost scope, or, outside of all scopes, yours to dispose of.
   * Setting it shares the memory of the new gradient.
   */
  get grad(): this | null {
    const gradient = this.#grad;
    if (!gradient) return null;
    const last = this.#gradAlias;
    if (last && !last.#share.released && isOwnedHere(last)) return last as this;
    const alias = aliasOf(gradient, gradient.#share.producer);
    own(alias);
    this.#gradAlias = alias;
    return alias as this;
  }

  set grad(gradient: TensorBase | null) {
    if (gradient === null) {
      setGrad(this, null);
      return;
    }
    expectTensor('grad', 'the gradient', gradient);
    if (show(gradient.shape) !== show(this.shape)) {
      throw new ShapeError(`grad: the tensor is ${show(this.shape)}, the gradient ${show(gradient.shape)}`);
    }
    expectDtype('grad', 'the gradient', gradient, 'float32');
    setGrad(this, aliasOf(gradient, gradient.#share.producer));
    this.#gradAlias = gradient;
  }

  /** The same values, sharing memory, outside the graph; with `requiresGrad` a new leaf. */
  detach(options: { readonly requiresGrad?: boolean } = {}): this {
    expectOptions('detach', options, ['requiresGrad']);
    const { requiresGrad = false } = options;
    expectBoolean('detach', 'requiresGrad', requiresGrad);
    const copy = viewOf(this, this.shape);
    if (requiresGrad) makeLeaf(copy);
    return copy;
  }

  /** Frees its memory, and its gradient's. Calling it again does nothing. */
  dispose(): void {
    if (this.#share.released) return;
    disown(this);
    this.#share.release();
    setGrad(this, null);
  }

  /** The values, row-major. */
  async data(): Promise<TypedArray> {
    const storage = storageOfTensor(this);
    const { version } = storage;
    const range = { storage, byteOffset: this.byteOffset, bytes: this.bytes };
    const values = typedArray(this.dtype, await storage.device.read(range, this.bytes));
    this.#preview = { values: [...values.subarray(0, previewLength)], version };
    return values;
  }

  /** The one value of a tensor of one element. Throws ShapeError for more. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(`item: expects one element, got ${show(this.shape)}; use data() or toArray()`);
    return (await this.data())[0] as number;
  }

  /** The values as nested arrays; a number for rank 0. */
  async toArray(): Promise<NestedNumbers> {
    let values: NestedNumbers[] = [...(await this.data())];
    for (let dim = this.rank - 1; dim > 0; dim--) {
      const size = this.shape[dim] as number;
      values = Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
    }
    return this.rank === 0 ? (values[0] as number) : values;
  }

  /**
   * `tensor([1, 2], shape [2], float32)`: the first values where `data()`, `item()` or `toArray()` of this tensor read them
   * and nothing has written to it since; values on the device only are not shown.
   */
  override toString(): string {
    const { storage, released } = this.#share;
    const preview = this.#preview?.version === storage.version ? this.#preview.values : null;
    const values = preview?.map((value) => Number(value.toPrecision(6))).join(', ');
    const parts = [`shape ${show(this.shape)}`, this.dtype];
    if (values !== undefined && !released) parts.unshift(`[${values}${this.size > previewLength ? ', ...' : ''}]`);
    if (this.requiresGrad) parts.push('requiresGrad');
    if (released) parts.push('disposed');
    return `tensor(${parts.join(', ')})`;
  }

  static {
    // console.log in Node prints what this method returns.
    Object.defineProperty(TensorBase.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value: TensorBase.prototype.toString,
    });
    storageOfTensor = (x) => {
      if (!x.#share.released) return x.#share.storage;
      throw new DisposedError(
        `tensor: ${show(x.shape)} was disposed of; return it from its scope, or take it out of it with keep()`,
      );
    };
    producerOf = (x) => x.#share.producer;
    setProducer = (x, producer) => {
      x.#share.producer = producer;
    };
    leafOf = <T extends TensorBase>(x: T) => {
      const leaf = x.#leaf;
      return leaf && !leaf.#frozen ? (leaf as T) : null;
    };
    isLeaf = (x) => x.#leaf !== null;
    makeLeaf = (x) => {
      if (x.dtype !== 'float32') throw new DtypeError(`requiresGrad: only float32 has gradients, got ${x.dtype}`);
      if (x.#share.producer) throw new GradientError('requiresGrad: an operation made this tensor; detach() it first');
      x.#leaf = x;
    };
    gradOf = <T extends TensorBase>(leaf: T) => leaf.#grad as T | null;
    setGrad = (leaf, gradient) => {
      currentRecording()?.touch(leaf);
      const before = leaf.#grad;
      leaf.#grad = gradient && keep(gradient);
      leaf.#gradAlias = null;
      if (before !== gradient) before?.dispose();
    };
    aliasOf = <T extends TensorBase>(x: T, producer: Producer | null) => {
      const share = new Share(storageOfTensor(x).retain(), producer?.retain() ?? null);
      const alias = new (classOf(x))(share, x.shape, x.dtype, x.byteOffset, false);
      alias.#leaf = x.#leaf;
      return alias;
    };
    viewOf = (x, shape) => new (classOf(x))(shareOf(x), shape, x.dtype, x.byteOffset);
    bitcast = (x, dtype) => new (classOf(x))(shareOf(x), x.shape, dtype, x.byteOffset);
  }
}

/** Device memory for intermediate values of one operation: a tensor without operations, freed by its scope. */
export class Workspace extends TensorBase {
  /** Takes over one reference to `storage`. */
  constructor(storage: Storage, shape: Shape, dtype: DType) {
    super(new Share(storage, null), shape, dtype, 0);
  }
}

/**
 * A tensor with arbitrary values on the device of `x`, by default of its dtype (`Tensor.new_empty` of PyTorch). Operations that are
 * methods of Tensor use it, because they cannot import the class.
 */
export function newEmpty<T extends TensorBase>(x: T, shape: Shape, dtype: DType = x.dtype): T {
  const storage = storageOfTensor(x).device.allocate(sizeOf(shape) * bytesPerElement, shape);
  return new (classOf(x))(new Share(storage, null), [...shape], dtype, 0);
}

/** A tensor of `values` on the device of `x`, by default of its dtype (`Tensor.new_tensor` of PyTorch). */
export function newTensor<T extends TensorBase>(x: T, shape: Shape, values: TypedArray, dtype: DType = x.dtype): T {
  const storage = storageOfTensor(x).device.upload(values, shape);
  return new (classOf(x))(new Share(storage, null), [...shape], dtype, 0);
}

/** The class of `x`, which is Tensor: a lower layer makes tensors without importing it. */
function classOf<T extends TensorBase>(x: T): MakeTensor<T> {
  return x.constructor as MakeTensor<T>;
}

/** A new reference to the memory of `x`, outside the graph. */
function shareOf(x: TensorBase): Share {
  return new Share(storageOfTensor(x).retain(), null);
}
