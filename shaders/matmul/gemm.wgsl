// C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n]: both operands k-major, so that every load is a vec4 of values
// that are all used together. Sizes and layouts: lib/gemm.wgsl.
// threads: LANES in a workgroup, an 8 x 8 tile of C each, kept as four matrices (arrays stay in memory where loops are not
// unrolled); neighbors have neighboring columns of the same rows.
// reference: Goto and van de Geijn (2008), the register tile of their inner kernel.
// uses: lib/grid.wgsl, lib/gemm.wgsl, lib/epilogue.wgsl, lib/outerProduct.wgsl, lib/storeProduct.wgsl
alias real = f32;   // or f16 for the operands; sums are f32
const FINISH: u32 = NOTHING;
const ALIGNED: bool = false;      // columns and the layout of C are multiples of 4: it is stored as vec4
const LANES: u32 = 64;
const ROWS: u32 = 8;
const COLUMNS: u32 = 8;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<real>>;  // [batches, K, M]
@group(0) @binding(2) var<storage, read> b: array<vec4<real>>;  // [batches, K, N]
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;         // [batches, splits, M, N]
@group(0) @binding(6) var<storage, read_write> cQuads: array<vec4f>;  // instead of c, with ALIGNED

@compute @workgroup_size(LANES)
fn gemm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(linearGroup(group, groups) * LANES + lane, ROWS, COLUMNS);
  if (!tile.exists) { return; }
  var aUpper = aQuad(tile, tile.firstRow);
  var aLower = aQuad(tile, tile.firstRow + 4);
  var bLeft = bQuad(tile, tile.firstColumn);
  var bRight = bQuad(tile, tile.firstColumn + 4);
  let aStep = params.aStep / 4;
  let bStep = params.bStep / 4;
  var upperLeft: mat4x4f;
  var upperRight: mat4x4f;
  var lowerLeft: mat4x4f;
  var lowerRight: mat4x4f;
  for (var k = 0u; k < tile.depth; k++) {
    let upper = vec4f(a[aUpper]);
    let lower = vec4f(a[aLower]);
    let left = vec4f(b[bLeft]);
    let right = vec4f(b[bRight]);
    upperLeft += outerProduct(upper, left);
    upperRight += outerProduct(upper, right);
    lowerLeft += outerProduct(lower, left);
    lowerRight += outerProduct(lower, right);
    aUpper += aStep;
    aLower += aStep;
    bLeft += bStep;
    bRight += bStep;
  }
  storeBlock(tile, tile.firstRow, tile.firstColumn, upperLeft);
  storeBlock(tile, tile.firstRow, tile.firstColumn + 4, upperRight);
  storeBlock(tile, tile.firstRow + 4, tile.firstColumn, lowerLeft);
  storeBlock(tile, tile.firstRow + 4, tile.firstColumn + 4, lowerRight);
}
