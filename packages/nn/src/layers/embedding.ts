import { arange, embedding, noGrad, type RandomOptions, scope, type Tensor, where } from '@mien/tensor';
import { expectInteger, expectOptions, optionNames, paddingRow } from '@mien/tensor/internal';
import { normal } from '../init.ts';
import { Module, parameter } from '../module.ts';

/** Options of `Embedding`. */
export interface EmbeddingLayerOptions extends RandomOptions {
  /** The row that starts at zeros and gets no gradient; negative ones count from the end. */
  readonly paddingIdx?: number;
}

const embeddingOptions = optionNames<EmbeddingLayerOptions>({ paddingIdx: true, generator: true });

/**
 * A table of vectors: int32 or uint32 indices [...] give [..., embeddingDim]. The vectors start at normal numbers of variance 1.
 * Indices outside 0..numEmbeddings - 1 give rows of NaN.
 */
export class Embedding extends Module {
  /** [numEmbeddings, embeddingDim] */
  readonly weight: Tensor;
  readonly #paddingIdx: number | null;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    expectInteger('Embedding', 'numEmbeddings', numEmbeddings);
    expectInteger('Embedding', 'embeddingDim', embeddingDim);
    expectOptions('Embedding', options, embeddingOptions);
    const { paddingIdx, ...random } = options;
    this.#paddingIdx = paddingIdx === undefined ? null : paddingRow('Embedding', paddingIdx, numEmbeddings);
    const shape = [numEmbeddings, embeddingDim];
    this.weight = parameter(scope(() => withPadding(normal(shape, 1, random), this.#paddingIdx)));
  }

  forward(index: Tensor): Tensor {
    const padding = this.#paddingIdx;
    return embedding(index, this.weight, padding === null ? {} : { paddingIdx: padding });
  }
}

/** The weight with zeros in its row `padding`. */
function withPadding(weight: Tensor, padding: number | null): Tensor {
  if (padding === null) return weight;
  const rows = arange(0, weight.shape[0] as number, 1, { dtype: 'int32' }).reshape([-1, 1]);
  return noGrad(() => where(rows.eq(padding), 0, weight));
}
