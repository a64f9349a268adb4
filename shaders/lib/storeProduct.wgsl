// How kernels of matrix products (lib/gemm.wgsl) store C: as vec4 in `cQuads` with the kernel's `const ALIGNED`, else one by one
// in `c`. Loops have constant bounds, so that sums stay in registers.

// Stores those of four sums of a row that are inside C.
fn storeQuad(tile: Tile, row: u32, firstColumn: u32, sums: vec4f, channel: Channel) {
  if (row >= params.rows || firstColumn >= params.columns) { return; }
  let withRelu = params.relu == 1;
  if (ALIGNED) {
    let at = cAt(tile, row, firstColumn) / 4;
    cQuads[at] = finished(FINISH, sums, channel, cQuads[at], withRelu);
    return;
  }
  for (var j = 0u; j < 4; j++) {
    if (firstColumn + j < params.columns) {
      let at = cAt(tile, row, firstColumn + j);
      c[at] = finished(FINISH, vec4f(sums[j]), channel, vec4f(c[at]), withRelu).x;
    }
  }
}

// Stores the part of a 4 x 4 block that is inside C.
fn storeBlock(tile: Tile, firstRow: u32, firstColumn: u32, sums: mat4x4f) {
  let columns = columnBias(tile, firstColumn);
  for (var i = 0u; i < 4; i++) {
    storeQuad(tile, firstRow + i, firstColumn, sums[i] + columns, rowChannel(tile, firstRow + i));
  }
}
