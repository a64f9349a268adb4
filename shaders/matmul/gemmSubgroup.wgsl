enable subgroups;
// C[b, m, n] = sum_k A[b, k, m] * B[b, k, n] (+ bias[m]), as gemm.wgsl, on adapters whose subgroups have just SUBGROUP lanes.
// threads: a group is one subgroup and owns a tile of C of 4 SUBGROUP ROW_QUADS rows and 4 SUBGROUP COLUMN_QUADS columns. For
// each k every lane loads ROW_QUADS vec4 of A and COLUMN_QUADS of B; those of A go round by shuffles, so that a number
// loaded is used in a whole row or column of the tile. Neighbouring groups take neighbouring columns of the same rows.
// reference: Goto and van de Geijn (2008); the shuffles stand where a GPU would share a tile in workgroup memory.
// uses: lib/grid.wgsl
const ROW_BIAS: bool = false;
const ALIGNED: bool = false;      // columns, cPlane, cImage and cBatch are multiples of 4: C is stored as vec4
const ROW_QUADS: u32 = 2;
const COLUMN_QUADS: u32 = 2;
const SUBGROUP: u32 = 8;
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
@group(0) @binding(1) var<storage, read> a: array<vec4f>;             // [batches, K, aRows]
@group(0) @binding(2) var<storage, read> b: array<vec4f>;             // [batches, K, bColumns], or [images, K, bPlane]
@group(0) @binding(3) var<storage, read> bias: array<f32>;            // [rows], with ROW_BIAS
@group(0) @binding(4) var<storage, read_write> c: array<f32>;         // [batches, rows, columns], or [images, rows, cPlane]
@group(0) @binding(5) var<storage, read_write> cQuads: array<vec4f>;  // in place of c, with ALIGNED

fn store(batch: u32, row: u32, firstColumn: u32, sums: vec4f) {
  if (row >= params.rows || firstColumn >= params.columns) { return; }
  var values = sums;
  if (ROW_BIAS) { values += bias[row]; }
  if (ALIGNED) {
    let at = (firstColumn / params.cPlane) * params.cImage + firstColumn % params.cPlane;
    cQuads[(batch * params.cBatch + at + row * params.cPlane) / 4] = values;
    return;
  }
  for (var j = 0u; j < min(4, params.columns - firstColumn); j++) {
    let column = firstColumn + j;
    let at = (column / params.cPlane) * params.cImage + column % params.cPlane;
    c[batch * params.cBatch + at + row * params.cPlane] = values[j];
  }
}

@compute @workgroup_size(SUBGROUP)
fn gemmSubgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tileRows = 4 * SUBGROUP * ROW_QUADS;
  let tileColumns = 4 * SUBGROUP * COLUMN_QUADS;
  let tilesOfRows = (params.rows + tileRows - 1) / tileRows;
  let tilesOfColumns = (params.columns + tileColumns - 1) / tileColumns;
  let tile = linearGroup(group, groups);
  if (tile >= tilesOfColumns * tilesOfRows * params.batches) { return; }
  let firstColumn = (tile % tilesOfColumns) * tileColumns;
  let firstRow = ((tile / tilesOfColumns) % tilesOfRows) * tileRows;
  let batch = tile / (tilesOfColumns * tilesOfRows);

  // Past the end the last quad is read again, and not stored.
  var aAt: array<u32, ROW_QUADS>;
  var bAt: array<u32, COLUMN_QUADS>;
  for (var q = 0u; q < ROW_QUADS; q++) {
    let row = min(firstRow + 4 * (q * SUBGROUP + lane), params.aRows - 4);
    aAt[q] = (batch * params.aBatch + row) / 4;
  }
  for (var q = 0u; q < COLUMN_QUADS; q++) {
    let column = min(firstColumn + 4 * (q * SUBGROUP + lane), params.bColumns - 4);
    bAt[q] = (batch * params.bBatch + (column / params.bPlane) * params.bImage + column % params.bPlane) / 4;
  }

  var sums: array<array<array<array<vec4f, COLUMN_QUADS>, 4>, SUBGROUP>, ROW_QUADS>;
  for (var k = 0u; k < params.depth; k++) {
    var left: array<vec4f, ROW_QUADS>;
    var right: array<vec4f, COLUMN_QUADS>;
    for (var q = 0u; q < ROW_QUADS; q++) {
      left[q] = a[aAt[q]];
      aAt[q] += params.aRows / 4;
    }
    for (var q = 0u; q < COLUMN_QUADS; q++) {
      right[q] = b[bAt[q]];
      bAt[q] += params.bPlane / 4;
    }
    for (var q = 0u; q < ROW_QUADS; q++) {
      for (var s = 0u; s < SUBGROUP; s++) {
        let factors = subgroupShuffle(left[q], s);
        for (var i = 0u; i < 4; i++) {
          for (var j = 0u; j < COLUMN_QUADS; j++) { sums[q][s][i][j] += factors[i] * right[j]; }
        }
      }
    }
  }
  for (var q = 0u; q < ROW_QUADS; q++) {
    for (var s = 0u; s < SUBGROUP; s++) {
      for (var i = 0u; i < 4; i++) {
        let row = firstRow + 4 * (q * SUBGROUP + s) + i;
        for (var j = 0u; j < COLUMN_QUADS; j++) {
          store(batch, row, firstColumn + 4 * (j * SUBGROUP + lane), sums[q][s][i][j]);
        }
      }
    }
  }
}
