// C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n], as gemm.wgsl, for adapters with real workgroup memory.
// threads: a group of 8 x 8 owns a 64 x 64 tile of C, each thread 8 x 8 of it as four matrices; DEPTH values of k at a time
// lie in workgroup memory, twice (lib/workgroupTile.wgsl).
// reference: Volkov and Demmel (2008); the double buffer as in Nath, Tomov and Dongarra (2010).
// uses: lib/grid.wgsl, lib/gemm.wgsl, lib/epilogue.wgsl, lib/outerProduct.wgsl, lib/workgroupTile.wgsl
alias real = f32;   // f16: what is stored, sums are f32
const FINISH: u32 = NOTHING;
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const LANES: u32 = 64;
const_assert 2 * LANES == DEPTH * QUADS;        // each thread brings two vec4 of A and two of B
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<real>>;  // [batches, K, M]
@group(0) @binding(2) var<storage, read> b: array<vec4<real>>;  // [batches, K, N]
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;   // [batches, splits, M, N]

@compute @workgroup_size(LANES)
fn gemmWorkgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(linearGroup(group, groups), ROWS, COLUMNS);
  if (!tile.exists) { return; }

  // This thread brings quad `quad` of rows k = `line` and `line + DEPTH / 2`; past the end of K it brings zeros.
  let quad = lane % QUADS;
  let line = lane / QUADS;
  let aFirst = aQuad(tile, tile.firstRow + 4 * quad);
  let bFirst = bQuad(tile, tile.firstColumn + 4 * quad);
  let up = (lane / 8) * 2;       // this thread's rows and columns in the tile, in quads
  let across = (lane % 8) * 2;

  var sums: array<mat4x4f, 4>;
  let steps = (tile.depth + DEPTH - 1) / DEPTH;
  for (var step = 0u; step <= steps; step++) {
    // Stores of this trip and loads of the last one are of different halves, so that one barrier a trip is enough.
    if (step < steps) {
      for (var half = 0u; half < 2; half++) {
        let inTile = line + half * (DEPTH / 2);
        let k = step * DEPTH + inTile;
        let inside = k < tile.depth;
        let stored = min(k, tile.depth - 1);
        aTile[step % 2][inTile * QUADS + quad] = select(vec4f(), vec4f(a[aFirst + stored * (params.aStep / 4)]), inside);
        bTile[step % 2][inTile * QUADS + quad] = select(vec4f(), vec4f(b[bFirst + stored * (params.bStep / 4)]), inside);
      }
    }
    if (step > 0) {
      addProduct(&sums, (step + 1) % 2, up, across);
    }
    workgroupBarrier();
  }
  for (var part = 0u; part < 4; part++) {
    storeBlock(tile, tile.firstRow + 4 * (up + part / 2), tile.firstColumn + 4 * (across + part % 2), sums[part]);
  }
}
