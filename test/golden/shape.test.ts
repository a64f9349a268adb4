import { cat, meshgrid, pad, type Tensor, type TensorIndex } from '@mien/tensor';
import { agree, load, type Stored } from './golden.ts';
import shapes from './shape.golden.json' with { type: 'json' };

/** An index as make.py writes it: tensors by their values. */
function indexOf(index: Exclude<TensorIndex, Tensor> | Stored): TensorIndex {
  return typeof index === 'object' && index !== null && 'data' in index ? load(index) : index;
}

agree(
  shapes,
  {
    squeeze: ({ x }, { dims }) => x.squeeze(dims),
    unsqueeze: ({ x }, { dim }) => x.unsqueeze(dim),
    flatten: ({ x }, { startDim, endDim }) => x.flatten(startDim, endDim),
    unflatten: ({ x }, { dim, sizes }) => x.unflatten(dim, sizes),
    repeat: ({ x }, { counts }) => x.repeat(counts),
    tile: ({ x }, { counts }) => x.tile(counts),
    roll: ({ x }, { shifts, dims }) => x.roll(shifts, dims ?? undefined),
    tril: ({ x }, { diagonal }) => x.tril(diagonal),
    triu: ({ x }, { diagonal }) => x.triu(diagonal),
    meshgrid: ({ a, b }, { indexing }) => cat(meshgrid([a, b], indexing), 1),
    split: ({ x }, { sizes, dim }) => x.split(sizes, dim)[1] as Tensor,
    chunk: ({ x }, { count, dim }) => x.chunk(count, dim)[1] as Tensor,
    indexSelect: ({ x, index }, { dim }) => x.indexSelect(dim, index),
    indexAdd: ({ x, index, src }, { dim }) => x.indexAdd(dim, index, src),
    scatter: ({ x, index, src }, { dim }) => x.scatter(dim, index, src),
    scatterAdd: ({ x, index, src }, { dim }) => x.scatterAdd(dim, index, src),
    at: ({ x }, { indices }) => x.at(...indices.map(indexOf)),
    pad: ({ x }, { counts, mode }) => pad(x, counts, mode),
  },
  { sums: true },
);
