import { assign, linear, type RandomOptions, ShapeError, scope, type Tensor, where, zeros } from '@mien/tensor';
import {
  attention,
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectTensor,
  optionNames,
} from '@mien/tensor/internal';
import { xavierUniform } from '../init.ts';
import { Module, parameter } from '../module.ts';
import { Linear } from './linear.ts';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions extends RandomOptions {
  /** Whether the projections have a bias. Default true. */
  readonly bias?: boolean;
  /** In training, the probability that an attention weight is zeroed. Default 0. */
  readonly dropout?: number;
  /** Whether tensors are [N, L, E] rather than [L, N, E]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
}

/** Options of the forward of `MultiheadAttention`. */
export interface AttentionForwardOptions {
  /** [N, S] ([S] without a batch): bool, true where a key is **ignored**, or float32, added to its scores. */
  readonly keyPaddingMask?: Tensor | null;
  /** [L, S] or [N * numHeads, L, S]: bool, true where a query does **not** take a key, or float32, added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Whether query i takes only keys 0 to i, in addition to the masks. Default false. */
  readonly isCausal?: boolean;
  /** Whether the attention weights are returned too. Default true, as in PyTorch. */
  readonly needWeights?: boolean;
  /** Whether the returned weights are the mean over the heads. Default true. */
  readonly averageAttnWeights?: boolean;
}

const attentionOptions = optionNames<MultiheadAttentionOptions>({
  ...{ bias: true, dropout: true, batchFirst: true, generator: true },
});
const forwardOptions = optionNames<AttentionForwardOptions>({
  ...{ keyPaddingMask: true, attnMask: true, isCausal: true, needWeights: true, averageAttnWeights: true },
});

/** The sizes of a call: batch, heads, queries, keys and the width of a head. */
interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
}

/**
 * Attention of `numHeads` heads of width embedDim / numHeads between projections of query, key and value, which are projected
 * back to embedDim (Vaswani et al., 2017). Parameters and their initial values are PyTorch's.
 */
export class MultiheadAttention extends Module {
  /** [3 embedDim, embedDim]: of query, key and value. */
  readonly inProjWeight: Tensor;
  /** [3 embedDim] */
  readonly inProjBias: Tensor | null;
  readonly outProj: Linear;
  readonly #embedDim: number;
  readonly #heads: number;
  readonly #dropout: number;
  readonly #batchFirst: boolean;
  readonly #random: RandomOptions;

  /** Throws ValueError unless `numHeads` divides `embedDim`. */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const name = 'MultiheadAttention';
    expectInteger(name, 'embedDim', embedDim);
    expectInteger(name, 'numHeads', numHeads);
    expectInteger(name, 'embedDim / numHeads', embedDim / numHeads);
    expectOptions(name, options, attentionOptions);
    const { bias = true, dropout = 0, batchFirst = false, generator } = options;
    expectBoolean(name, 'bias', bias);
    expectNumber(name, 'dropout', dropout, 0, 1);
    expectBoolean(name, 'batchFirst', batchFirst);
    this.#embedDim = embedDim;
    this.#heads = numHeads;
    this.#dropout = dropout;
    this.#batchFirst = batchFirst;
    this.#random = generator ? { generator } : {};
    this.inProjWeight = parameter(xavierUniform([3 * embedDim, embedDim], this.#random));
    this.inProjBias = bias ? parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias, ...this.#random });
    if (this.outProj.bias) assign(this.outProj.bias, new Float32Array(embedDim));
  }

  /**
   * Attends query [L, N, E] to key and value [S, N, E], with `batchFirst` [N, L, E] and [N, S, E]; without N the same for one
   * sample. Returns the result, of the shape of query, and the weights [N, L, S] ([N, numHeads, L, S] without
   * `averageAttnWeights`), null unless `needWeights`. A query whose keys are all masked gives NaN. Throws ShapeError naming the
   * shapes.
   */
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionForwardOptions = {},
  ): readonly [output: Tensor, weights: Tensor | null] {
    expectOptions('MultiheadAttention', options, forwardOptions);
    const { isCausal = false, needWeights = true, averageAttnWeights = true } = options;
    expectBoolean('MultiheadAttention', 'isCausal', isCausal);
    expectBoolean('MultiheadAttention', 'needWeights', needWeights);
    expectBoolean('MultiheadAttention', 'averageAttnWeights', averageAttnWeights);
    const sizes = this.#sizesOf(query, key, value);
    const dropout = this.training ? this.#dropout : 0;
    return scope(() => {
      const [q, k, v] = [query, key, value].map((x, i) => this.#project(x, i, sizes)) as [Tensor, Tensor, Tensor];
      const attnMask = maskOf(options, sizes);
      const attended = attention('MultiheadAttention', q, k, v, { attnMask, isCausal, dropout, ...this.#random });
      const output = this.outProj.forward(this.#join(attended.output, query.shape));
      if (!needWeights) return [output, null] as const;
      const weights = averageAttnWeights ? attended.weights.mean(1) : attended.weights;
      return [output, query.rank === 2 ? weights.reshape(weights.shape.slice(1)) : weights] as const;
    });
  }

  /** The sizes of a call. Throws ShapeError unless the tensors fit. */
  #sizesOf(query: Tensor, key: Tensor, value: Tensor): Sizes {
    for (const [name, x] of Object.entries({ query, key, value })) expectTensor('MultiheadAttention', name, x);
    const width = this.#embedDim;
    const tensors = [query, key, value];
    const [l, n] = this.#batchFirst ? [1, 0] : [0, 1];
    const isBatched = query.rank === 3;
    const sizeOf = (x: Tensor, dim: number): number => x.shape[isBatched ? dim : 0] as number;
    const fits =
      (isBatched || query.rank === 2) &&
      tensors.every((x) => x.rank === query.rank && x.shape.at(-1) === width) &&
      sizeOf(key, l) === sizeOf(value, l) &&
      (!isBatched || tensors.every((x) => sizeOf(x, n) === sizeOf(query, n)));
    if (!fits) {
      const layout = this.#batchFirst ? (['[N, L', '[N, S'] as const) : (['[L, N', '[S, N'] as const);
      const [a, b, c] = tensors.map(({ shape }) => `[${shape.join(', ')}]`);
      throw new ShapeError(
        `MultiheadAttention: expected query ${layout[0]}, ${width}], key and value ${layout[1]}, ${width}], got ${a}, ${b} and ${c}; check embedDim and batchFirst`,
      );
    }
    const batch = isBatched ? sizeOf(query, n) : 1;
    return {
      ...{ batch, heads: this.#heads, width: width / this.#heads },
      ...{ queries: sizeOf(query, l), keys: sizeOf(key, l) },
    };
  }

  /** The projection `i` of x (0 of query, 1 of key, 2 of value), by heads: [N, heads, L, width]. */
  #project(x: Tensor, i: number, { batch, heads, width }: Sizes): Tensor {
    const size = this.#embedDim;
    const own = (all: Tensor): Tensor => all.slice(0, i * size, (i + 1) * size);
    const projected = linear(x, own(this.inProjWeight), this.inProjBias && own(this.inProjBias));
    return this.#batchFirst
      ? projected.reshape([batch, -1, heads, width]).permute([0, 2, 1, 3])
      : projected.reshape([-1, batch, heads, width]).permute([1, 2, 0, 3]);
  }

  /** [N, heads, L, width] as `shape`, the heads side by side. */
  #join(x: Tensor, shape: readonly number[]): Tensor {
    return x.permute(this.#batchFirst ? [0, 2, 1, 3] : [2, 0, 1, 3]).reshape(shape);
  }
}

/** Both masks as one for `attention`: bool, true where a query takes a key, or numbers to add; null without masks. */
function maskOf({ keyPaddingMask = null, attnMask = null }: AttentionForwardOptions, sizes: Sizes): Tensor | null {
  const { batch, heads, queries, keys } = sizes;
  const ofKeys =
    keyPaddingMask && shaped('keyPaddingMask', keyPaddingMask, [[batch, keys], ...(batch === 1 ? [[keys]] : [])]);
  const ofPairs =
    attnMask &&
    shaped('attnMask', attnMask, [
      [queries, keys],
      [batch * heads, queries, keys],
    ]);
  const byHead = ofPairs?.rank === 3 ? ofPairs.reshape([batch, heads, queries, keys]) : ofPairs;
  const masks = [ofKeys?.reshape([batch, 1, 1, keys]), byHead].flatMap((mask) => mask ?? []);
  const [first, second] = masks;
  if (!first) return null;
  if (masks.every(({ dtype }) => dtype === 'bool')) return (second ? first.logicalOr(second) : first).logicalNot();
  return masks.map(added).reduce((sum, mask) => sum.add(mask));
}

/** `mask`. Throws ShapeError unless it has one of the shapes. */
function shaped(name: string, mask: Tensor, shapes: readonly (readonly number[])[]): Tensor {
  expectTensor('MultiheadAttention', name, mask);
  expectOneOf('MultiheadAttention', `the dtype of ${name}`, mask.dtype, ['bool', 'float32']);
  if (shapes.some((shape) => shape.join() === mask.shape.join())) return mask;
  const expected = shapes.map((shape) => `[${shape.join(', ')}]`).join(' or ');
  throw new ShapeError(`MultiheadAttention: expected ${name} ${expected}, got [${mask.shape.join(', ')}]`);
}

/** A mask as numbers to add to the scores. */
function added(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? where(mask, Number.NEGATIVE_INFINITY, 0) : mask;
}
