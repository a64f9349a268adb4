// Shared by the kernels of matrix products: C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n] with the epilogue (lib/epilogue.wgsl) of
// the kernel's `const FINISH`, where split s of the sum takes `chunk` values of k. Number i of row k of matrix b is at b * batch +
// k * step + (i / plane) * image + i % plane: a plane is a row, or a contiguous part of it, such as the pixels of one image. Widths
// of A and B, planes, steps, images and batches of A and B are multiples of 4.
struct Params {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  depth: u32,    // K
  chunk: u32,
  aWidth: u32,   // numbers in a row of A: rows of C, padded
  aStep: u32,
  aPlane: u32,
  aImage: u32,
  aBatch: u32,
  bWidth: u32,   // numbers in a row of B: columns of C, padded
  bStep: u32,
  bPlane: u32,
  bImage: u32,
  bBatch: u32,
  cStep: u32,
  cPlane: u32,
  cImage: u32,
  cBatch: u32,   // from one split to the next; the splits of a matrix are consecutive
  biasBatch: u32,    // channels from one matrix to the next
  biasRow: u32,      // 1 where rows are channels
  biasColumn: u32,   // 1 where columns are channels, which have only a bias
  relu: u32,         // 1 to apply max(., 0) last
}

// The tile of a workgroup: its matrix and split, its first row and column. `exists` is false past the end.
struct Tile { exists: bool, matrix: u32, firstRow: u32, firstColumn: u32, firstK: u32, depth: u32 }

// Tile `id`: neighbors have neighboring columns of the same rows.
fn tileOf(id: u32, tileRows: u32, tileColumns: u32) -> Tile {
  let across = (params.columns + tileColumns - 1) / tileColumns;
  let down = (params.rows + tileRows - 1) / tileRows;
  let matrix = id / (across * down);
  let firstK = (matrix % params.splits) * params.chunk;
  return Tile(
    matrix < params.batches * params.splits,
    matrix,
    ((id / across) % down) * tileRows,
    (id % across) * tileColumns,
    firstK,
    min(params.chunk, params.depth - min(firstK, params.depth)),
  );
}

fn aAt(tile: Tile, row: u32) -> u32 {
  let start = (tile.matrix / params.splits) * params.aBatch + tile.firstK * params.aStep;
  return start + (row / params.aPlane) * params.aImage + row % params.aPlane;
}

fn bAt(tile: Tile, column: u32) -> u32 {
  let start = (tile.matrix / params.splits) * params.bBatch + tile.firstK * params.bStep;
  return start + (column / params.bPlane) * params.bImage + column % params.bPlane;
}

fn cAt(tile: Tile, row: u32, column: u32) -> u32 {
  return tile.matrix * params.cBatch + row * params.cStep + (column / params.cPlane) * params.cImage + column % params.cPlane;
}

// The epilogue's parameters for a row, where rows are channels; only the first split adds the bias.
fn rowChannel(tile: Tile, row: u32) -> Channel {
  if (FINISH == NOTHING || params.biasRow == 0 || tile.firstK > 0) { return Channel(0, 1, 0); }
  return channelAt(FINISH, (tile.matrix / params.splits) * params.biasBatch + row);
}

// The bias of four columns where columns are channels.
fn columnBias(tile: Tile, column: u32) -> vec4f {
  if (FINISH != BIAS || params.biasColumn == 0 || tile.firstK > 0) { return vec4f(); }
  return vec4f(bias[column], bias[column + 1], bias[column + 2], bias[column + 3]);
}

// The vec4 of A or B that starts at a number; past the end it repeats the last one, whose sums are not stored.
fn aQuad(tile: Tile, row: u32) -> u32 { return aAt(tile, min(row, params.aWidth - 4)) / 4; }
fn bQuad(tile: Tile, column: u32) -> u32 { return bAt(tile, min(column, params.bWidth - 4)) / 4; }
