// C[b, m, n] = sum_k A[b, k, m] * B[b, k, n] (+ bias[m]), as gemm.wgsl but for any sizes: what the fast kernels are held against.
// threads: LANES in a group, one element of C each.
// uses: lib/grid.wgsl
const ROW_BIAS: bool = false;
const LANES: u32 = 64;
struct Params {
  batches: u32,
  rows: u32,
  columns: u32,
  depth: u32,
  aRows: u32,
  bColumns: u32,
  aBatch: u32,
  bBatch: u32,
  cBatch: u32,
  bPlane: u32,
  bImage: u32,
  cPlane: u32,
  cImage: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(LANES)
fn matmulNaive(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.batches * params.rows * params.columns) { return; }
  let column = id % params.columns;
  let row = (id / params.columns) % params.rows;
  let batch = id / (params.columns * params.rows);
  let bAt = batch * params.bBatch + (column / params.bPlane) * params.bImage + column % params.bPlane;
  var sum = 0.0;
  for (var k = 0u; k < params.depth; k++) {
    sum += a[batch * params.aBatch + k * params.aRows + row] * b[bAt + k * params.bPlane];
  }
  if (ROW_BIAS) { sum += bias[row]; }
  let cAt = batch * params.cBatch + (column / params.cPlane) * params.cImage + column % params.cPlane;
  c[cAt + row * params.cPlane] = sum;
}
