// C[b, m, n] = sum_k A[b, k, m] * B[b, k, n] (+ bias[m]): both operands k-major, so that every load is a vec4 of values
// that are all used at once. M and N of the operands are multiples of 4 (padded if need be).
// Columns may run over images of `plane` columns each, `image` elements apart, in B and in C; without images the plane is N.
// threads: LANES in a group, a ROWS x COLUMNS tile of C each; neighbours take neighbouring columns of the same rows.
// reference: Goto and van de Geijn (2008), the register tile of their inner kernel.
// uses: lib/grid.wgsl
const ROW_BIAS: bool = false;
const LANES: u32 = 64;
const ROWS: u32 = 8;
const COLUMNS: u32 = 16;
const_assert ROWS % 4 == 0 && COLUMNS % 4 == 0;
struct Params {
  batches: u32,
  rows: u32,     // of C; A has aRows
  columns: u32,  // of C; B has bColumns
  depth: u32,    // K
  aRows: u32,
  bColumns: u32,
  aBatch: u32,   // elements from one matrix of A to the next; 0 repeats it
  bBatch: u32,
  cBatch: u32,
  bPlane: u32,
  bImage: u32,
  cPlane: u32,
  cImage: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;       // [batches, K, aRows]
@group(0) @binding(2) var<storage, read> b: array<vec4f>;       // [batches, K, bColumns], or [images, K, bPlane]
@group(0) @binding(3) var<storage, read> bias: array<f32>;      // [rows], with ROW_BIAS
@group(0) @binding(4) var<storage, read_write> c: array<f32>;   // [batches, rows, columns], or [images, rows, cPlane]

@compute @workgroup_size(LANES)
fn gemm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tilesOfColumns = (params.columns + COLUMNS - 1) / COLUMNS;
  let tilesOfRows = (params.rows + ROWS - 1) / ROWS;
  let tile = linearGroup(group, groups) * LANES + lane;
  if (tile >= tilesOfColumns * tilesOfRows * params.batches) { return; }
  let firstColumn = (tile % tilesOfColumns) * COLUMNS;
  let firstRow = ((tile / tilesOfColumns) % tilesOfRows) * ROWS;
  let batch = tile / (tilesOfColumns * tilesOfRows);

  // Rows and columns past the end read the last ones again, and are not stored.
  var aAt: array<u32, ROWS / 4>;
  for (var i = 0u; i < ROWS / 4; i++) {
    aAt[i] = (batch * params.aBatch + min(firstRow + 4 * i, params.aRows - 4)) / 4;
  }
  var bAt: array<u32, COLUMNS / 4>;
  for (var j = 0u; j < COLUMNS / 4; j++) {
    let column = min(firstColumn + 4 * j, params.bColumns - 4);
    bAt[j] = (batch * params.bBatch + (column / params.bPlane) * params.bImage + column % params.bPlane) / 4;
  }

  var sum: array<array<vec4f, COLUMNS / 4>, ROWS>;
  for (var k = 0u; k < params.depth; k++) {
    var left: array<vec4f, ROWS / 4>;
    var right: array<vec4f, COLUMNS / 4>;
    for (var i = 0u; i < ROWS / 4; i++) { left[i] = a[aAt[i] + k * (params.aRows / 4)]; }
    for (var j = 0u; j < COLUMNS / 4; j++) { right[j] = b[bAt[j] + k * (params.bPlane / 4)]; }
    for (var i = 0u; i < ROWS; i++) {
      for (var j = 0u; j < COLUMNS / 4; j++) { sum[i][j] += left[i / 4][i % 4] * right[j]; }
    }
  }

  for (var j = 0u; j < COLUMNS; j++) {
    let column = firstColumn + j;
    if (column >= params.columns) { continue; }
    let at = batch * params.cBatch + (column / params.cPlane) * params.cImage + column % params.cPlane;
    for (var i = 0u; i < ROWS; i++) {
      let row = firstRow + i;
      if (row >= params.rows) { continue; }
      var value = sum[i][j / 4][j % 4];
      if (ROW_BIAS) { value += bias[row]; }
      c[at + row * params.cPlane] = value;
    }
  }
}
