// How kernels of matrix products (lib/gemm.wgsl) store C: as vec4 in `cQuads` with the kernel's `const ALIGNED`, else number by number
// in `c`. Loops have constant bounds, so that sums stay in registers.

// Where four columns are in each row of C.
fn columnsAt(firstColumn: u32) -> vec4u {
  let columns = firstColumn + vec4u(0, 1, 2, 3);
  return (columns / params.cPlane) * params.cImage + columns % params.cPlane;
}

// Stores four sums of a row, as many of them as C has columns for; `across` is `columnsAt(firstColumn)`.
fn storeQuad(tile: Tile, row: u32, firstColumn: u32, across: vec4u, sums: vec4f, channel: Channel) {
  if (row >= params.rows || firstColumn >= params.columns) { return; }
  let withRelu = params.relu == 1;
  let start = tile.matrix * params.cBatch + row * params.cStep;
  if (ALIGNED) {
    let at = (start + across.x) / 4;
    cQuads[at] = finished(FINISH, sums, channel, cQuads[at], withRelu);
    return;
  }
  for (var j = 0u; j < 4; j++) {
    if (firstColumn + j < params.columns) {
      let at = start + across[j];
      c[at] = finished(FINISH, vec4f(sums[j]), channel, vec4f(c[at]), withRelu).x;
    }
  }
}

// Stores a 4 x 4 block of C, as much of it as there is.
fn storeBlock(tile: Tile, firstRow: u32, firstColumn: u32, sums: mat4x4f) {
  let across = columnsAt(firstColumn);
  let columns = columnBias(tile, firstColumn);
  for (var i = 0u; i < 4; i++) {
    storeQuad(tile, firstRow + i, firstColumn, across, sums[i] + columns, rowChannel(tile, firstRow + i));
  }
}
