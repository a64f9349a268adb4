enable subgroups;
// C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n], as gemm.wgsl, on adapters with subgroups of SUBGROUP lanes.
// threads: a workgroup is one subgroup and owns a tile of C of 4 SUBGROUP ROW_QUADS rows and 4 SUBGROUP COLUMN_QUADS columns. For
// each k every lane loads ROW_QUADS vec4 of A and COLUMN_QUADS of B; those of A are passed around by shuffles, so that each loaded
// number is used in a whole row or column of the tile.
// reference: Goto and van de Geijn (2008); shuffles replace the tile that a GPU would share in workgroup memory.
// uses: lib/grid.wgsl, lib/gemm.wgsl, lib/epilogue.wgsl, lib/storeProduct.wgsl
alias real = f32;   // or f16 for the operands; sums are f32
const FINISH: u32 = NOTHING;
const ALIGNED: bool = false;      // columns and the layout of C are multiples of 4: it is stored as vec4
const ROW_QUADS: u32 = 2;
const COLUMN_QUADS: u32 = 2;
const SUBGROUP: u32 = 8;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<real>>;        // [batches, K, M]
@group(0) @binding(2) var<storage, read> b: array<vec4<real>>;        // [batches, K, N]
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;         // [batches, splits, M, N]
@group(0) @binding(6) var<storage, read_write> cQuads: array<vec4f>;  // instead of c, with ALIGNED

@compute @workgroup_size(SUBGROUP)
fn gemmSubgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(linearGroup(group, groups), 4 * SUBGROUP * ROW_QUADS, 4 * SUBGROUP * COLUMN_QUADS);
  if (!tile.exists) { return; }
  var aNext: array<u32, ROW_QUADS>;
  var bNext: array<u32, COLUMN_QUADS>;
  for (var q = 0u; q < ROW_QUADS; q++) { aNext[q] = aQuad(tile, tile.firstRow + 4 * (q * SUBGROUP + lane)); }
  for (var q = 0u; q < COLUMN_QUADS; q++) { bNext[q] = bQuad(tile, tile.firstColumn + 4 * (q * SUBGROUP + lane)); }

  var sums: array<array<array<array<vec4f, COLUMN_QUADS>, 4>, SUBGROUP>, ROW_QUADS>;
  for (var k = 0u; k < tile.depth; k++) {
    var left: array<vec4f, ROW_QUADS>;
    var right: array<vec4f, COLUMN_QUADS>;
    for (var q = 0u; q < ROW_QUADS; q++) {
      left[q] = vec4f(a[aNext[q]]);
      aNext[q] += params.aStep / 4;
    }
    for (var q = 0u; q < COLUMN_QUADS; q++) {
      right[q] = vec4f(b[bNext[q]]);
      bNext[q] += params.bStep / 4;
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
  var across: array<vec4f, COLUMN_QUADS>;
  for (var j = 0u; j < COLUMN_QUADS; j++) { across[j] = columnBias(tile, tile.firstColumn + 4 * (j * SUBGROUP + lane)); }
  for (var q = 0u; q < ROW_QUADS; q++) {
    for (var s = 0u; s < SUBGROUP; s++) {
      for (var i = 0u; i < 4; i++) {
        let row = tile.firstRow + 4 * (q * SUBGROUP + s) + i;
        let channel = rowChannel(tile, row);
        for (var j = 0u; j < COLUMN_QUADS; j++) {
          storeQuad(tile, row, tile.firstColumn + 4 * (j * SUBGROUP + lane), sums[q][s][i][j] + across[j], channel);
        }
      }
    }
  }
}
