import { MultiheadAttention } from '@mien/nn';
import { scaledDotProductAttention, type Tensor } from '@mien/tensor';
import cases from './attention.golden.json' with { type: 'json' };
import { agree, type Call, type Inputs, load, type OperationCase, type Stored } from './golden.ts';

/** A mask: integers are bool. */
const mask = (stored: Stored | null): Tensor | null => {
  if (!stored) return null;
  return stored.dtype === 'int32' ? load(stored).to('bool') : load(stored);
};

/** Output and weights of the layer with the parameters of a case. */
function attend({ query, key, value, ...parameters }: Inputs, options: OperationCase['options']) {
  const { numHeads, bias, batchFirst, attnMask, keyPaddingMask, averageAttnWeights } = options;
  using layer = new MultiheadAttention(query.shape.at(-1) as number, numHeads, { bias, batchFirst });
  const { inWeight, inBias, outWeight, outBias } = parameters;
  // The parameters are inputs of the case, whose gradients it checks.
  const [all, out] = [layer as object, layer.outProj as object];
  for (const tensor of layer.parameters()) tensor.dispose();
  Object.assign(all, { inProjWeight: inWeight, inProjBias: inBias ?? null });
  Object.assign(out, { weight: outWeight, bias: outBias ?? null });
  const masks = { attnMask: mask(attnMask), keyPaddingMask: mask(keyPaddingMask) };
  const result = layer.forward(query, key, value, { ...masks, averageAttnWeights });
  Object.assign(all, { inProjWeight: null, inProjBias: null });
  Object.assign(out, { weight: null, bias: null });
  return result;
}

const calls: Record<string, Call> = {
  scaledDotProductAttention: ({ query, key, value }, { attnMask = null, isCausal = false }) =>
    scaledDotProductAttention(query, key, value, { attnMask: mask(attnMask), isCausal }),
  multiheadAttention: (inputs, options) => attend(inputs, options)[0],
  attentionWeights: (inputs, options) => attend(inputs, options)[1] as Tensor,
};

agree(cases, calls, { sums: true });
