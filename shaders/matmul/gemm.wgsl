// C[b, m, n] = sum_k A[b, k, m] * B[b, k, n] (+ bias[m]): both operands k-major, so that every load is a vec4 of values
// that are all used at once. M and N of the operands are multiples of 4 (padded if need be).
// Columns may run over images of `plane` columns each, `image` elements apart, in B and in C; without images the plane is N.
// threads: LANES in a group, an 8 x 8 tile of C each, kept as four matrices (arrays stay in memory where loops are not
// unrolled); neighbours take neighbouring columns of the same rows.
// reference: Goto and van de Geijn (2008), the register tile of their inner kernel.
// uses: lib/grid.wgsl
const ROW_BIAS: bool = false;
const LANES: u32 = 64;
const ROWS: u32 = 8;
const COLUMNS: u32 = 8;
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

fn outerProduct(left: vec4f, right: vec4f) -> mat4x4f {
  return mat4x4f(left.x * right, left.y * right, left.z * right, left.w * right);
}

// Where in A and B a run of four starts; past the end the last one is read again, and not stored.
fn rowsAt(batch: u32, row: u32) -> u32 { return (batch * params.aBatch + min(row, params.aRows - 4)) / 4; }
fn columnsAt(batch: u32, first: u32) -> u32 {
  let column = min(first, params.bColumns - 4);
  return (batch * params.bBatch + (column / params.bPlane) * params.bImage + column % params.bPlane) / 4;
}

fn store(batch: u32, firstRow: u32, firstColumn: u32, sums: mat4x4f) {
  for (var j = 0u; j < min(4, params.columns - min(firstColumn, params.columns)); j++) {
    let column = firstColumn + j;
    let at = batch * params.cBatch + (column / params.cPlane) * params.cImage + column % params.cPlane;
    for (var i = 0u; i < min(4, params.rows - min(firstRow, params.rows)); i++) {
      let row = firstRow + i;
      var value = sums[i][j];
      if (ROW_BIAS) { value += bias[row]; }
      c[at + row * params.cPlane] = value;
    }
  }
}

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

  var aUpper = rowsAt(batch, firstRow);
  var aLower = rowsAt(batch, firstRow + 4);
  var bLeft = columnsAt(batch, firstColumn);
  var bRight = columnsAt(batch, firstColumn + 4);
  let aStep = params.aRows / 4;
  let bStep = params.bPlane / 4;
  var upperLeft: mat4x4f;
  var upperRight: mat4x4f;
  var lowerLeft: mat4x4f;
  var lowerRight: mat4x4f;
  for (var k = 0u; k < params.depth; k++) {
    let upper = a[aUpper];
    let lower = a[aLower];
    let left = b[bLeft];
    let right = b[bRight];
    upperLeft += outerProduct(upper, left);
    upperRight += outerProduct(upper, right);
    lowerLeft += outerProduct(lower, left);
    lowerRight += outerProduct(lower, right);
    aUpper += aStep;
    aLower += aStep;
    bLeft += bStep;
    bRight += bStep;
  }
  store(batch, firstRow, firstColumn, upperLeft);
  store(batch, firstRow, firstColumn + 4, upperRight);
  store(batch, firstRow + 4, firstColumn, lowerLeft);
  store(batch, firstRow + 4, firstColumn + 4, lowerRight);
}
