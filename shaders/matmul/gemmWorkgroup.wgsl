// C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n], as gemm.wgsl, for adapters with hardware workgroup memory.
// threads: a workgroup of 8 x 8 owns a 64 x 64 tile of C, each thread four 4 x 4 blocks of it, kept as matrices by name (arrays
// stay in memory where loops are not unrolled); DEPTH values of k at a time are in workgroup memory, double-buffered
// (lib/workgroupTile.wgsl).
// reference: Volkov and Demmel (2008); the double buffer as in Nath, Tomov and Dongarra (2010).
// uses: lib/grid.wgsl, lib/gemm.wgsl, lib/epilogue.wgsl, lib/outerProduct.wgsl, lib/storeProduct.wgsl, lib/workgroupTile.wgsl
alias real = f32;   // or f16 for the operands; sums are f32
const FINISH: u32 = NOTHING;
const ALIGNED: bool = false;      // columns and the layout of C are multiples of 4: it is stored as vec4
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const LANES: u32 = 64;
const_assert 2 * LANES == DEPTH * QUADS;        // each thread loads two vec4 of A and two of B
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<real>>;  // [batches, K, M]
@group(0) @binding(2) var<storage, read> b: array<vec4<real>>;  // [batches, K, N]
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;         // [batches, splits, M, N]
@group(0) @binding(6) var<storage, read_write> cQuads: array<vec4f>;  // instead of c, with ALIGNED

@compute @workgroup_size(LANES)
fn gemmWorkgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(linearGroup(group, groups), ROWS, COLUMNS);
  if (!tile.exists) { return; }

  // This thread loads quad `quad` of rows k = `line` and `line + DEPTH / 2`; zeros past the end of K.
  let quad = lane % QUADS;
  let line = lane / QUADS;
  let aFirst = aQuad(tile, tile.firstRow + 4 * quad);
  let bFirst = bQuad(tile, tile.firstColumn + 4 * quad);
  let up = lane / 8;             // this thread's quads of rows and of columns are these two and the two APART further
  let across = lane % 8;

  var upperLeft: mat4x4f;
  var upperRight: mat4x4f;
  var lowerLeft: mat4x4f;
  var lowerRight: mat4x4f;
  let steps = (tile.depth + DEPTH - 1) / DEPTH;
  for (var step = 0u; step <= steps; step++) {
    // This iteration stores to the half that the last one did not read, so one barrier per iteration is enough.
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
      let half = (step + 1) % 2;
      for (var k = 0u; k < DEPTH; k++) {
        let upper = aTile[half][k * QUADS + up];
        let lower = aTile[half][k * QUADS + up + APART];
        let left = bTile[half][k * QUADS + across];
        let right = bTile[half][k * QUADS + across + APART];
        upperLeft += outerProduct(upper, left);
        upperRight += outerProduct(upper, right);
        lowerLeft += outerProduct(lower, left);
        lowerRight += outerProduct(lower, right);
      }
    }
    workgroupBarrier();
  }
  let row = tile.firstRow + 4 * up;
  let column = tile.firstColumn + 4 * across;
  storeBlock(tile, row, column, upperLeft);
  storeBlock(tile, row, column + 4 * APART, upperRight);
  storeBlock(tile, row + 4 * APART, column, lowerLeft);
  storeBlock(tile, row + 4 * APART, column + 4 * APART, lowerRight);
}
