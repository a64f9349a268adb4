// C[b, m, n] = sum_k A[b, k, m] * B[b, k, n] (+ bias[m]), as gemm.wgsl, for adapters with real workgroup memory.
// threads: a group of 8 x 8 owns a 64 x 64 tile of C, each thread 8 x 8 of it as four matrices. DEPTH values of k at a time
// lie in workgroup memory, twice: while one half is computed with, the next one is on its way.
// reference: Volkov and Demmel (2008); the double buffer as in Nath, Tomov and Dongarra (2010).
// uses: lib/grid.wgsl
const ROW_BIAS: bool = false;
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const DEPTH: u32 = 8;
const LANES: u32 = 64;
const QUADS: u32 = 16;                          // vec4 in 64 numbers
const_assert 2 * LANES == DEPTH * QUADS;        // each thread brings two vec4 of A and two of B
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
var<workgroup> aTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, ROWS]
var<workgroup> bTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, COLUMNS]

fn outerProduct(left: vec4f, right: vec4f) -> mat4x4f {
  return mat4x4f(left.x * right, left.y * right, left.z * right, left.w * right);
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
fn gemmWorkgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tilesOfColumns = (params.columns + COLUMNS - 1) / COLUMNS;
  let tilesOfRows = (params.rows + ROWS - 1) / ROWS;
  let tile = linearGroup(group, groups);
  if (tile >= tilesOfColumns * tilesOfRows * params.batches) { return; }
  let firstColumn = (tile % tilesOfColumns) * COLUMNS;
  let firstRow = ((tile / tilesOfColumns) % tilesOfRows) * ROWS;
  let batch = tile / (tilesOfColumns * tilesOfRows);

  // This thread brings quad `quad` of rows k = `line` and `line + DEPTH / 2`; past the end of K it brings zeros.
  let quad = lane % QUADS;
  let line = lane / QUADS;
  let row = min(firstRow + 4 * quad, params.aRows - 4);
  let column = min(firstColumn + 4 * quad, params.bColumns - 4);
  let aAt = (batch * params.aBatch + row) / 4;
  let bAt = (batch * params.bBatch + (column / params.bPlane) * params.bImage + column % params.bPlane) / 4;
  let up = (lane / 8) * 2;       // this thread's rows and columns in the tile, in quads
  let across = (lane % 8) * 2;

  var sums: array<mat4x4f, 4>;
  let steps = (params.depth + DEPTH - 1) / DEPTH;
  for (var step = 0u; step <= steps; step++) {
    // Stores of this trip and loads of the last one are of different halves, so that one barrier a trip is enough.
    if (step < steps) {
      for (var half = 0u; half < 2; half++) {
        let inTile = line + half * (DEPTH / 2);
        let k = step * DEPTH + inTile;
        let inside = select(0.0, 1.0, k < params.depth);
        let stored = min(k, params.depth - 1);
        aTile[step % 2][inTile * QUADS + quad] = inside * a[aAt + stored * (params.aRows / 4)];
        bTile[step % 2][inTile * QUADS + quad] = inside * b[bAt + stored * (params.bPlane / 4)];
      }
    }
    if (step > 0) {
      for (var k = 0u; k < DEPTH; k++) {
        let upper = aTile[(step + 1) % 2][k * QUADS + up];
        let lower = aTile[(step + 1) % 2][k * QUADS + up + 1];
        let left = bTile[(step + 1) % 2][k * QUADS + across];
        let right = bTile[(step + 1) % 2][k * QUADS + across + 1];
        sums[0] += outerProduct(upper, left);
        sums[1] += outerProduct(upper, right);
        sums[2] += outerProduct(lower, left);
        sums[3] += outerProduct(lower, right);
      }
    }
    workgroupBarrier();
  }
  for (var part = 0u; part < 4; part++) {
    store(batch, firstRow + 4 * (up + part / 2), firstColumn + 4 * (across + part % 2), sums[part]);
  }
}
