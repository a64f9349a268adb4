// C[b, s, m, n] = sum_k A[b, k, m] * B[b, k, n], as gemm.wgsl, for any sizes: the fast kernels are tested against it.
// threads: LANES in a workgroup, one element of C each.
// uses: lib/grid.wgsl, lib/gemm.wgsl, lib/epilogue.wgsl
const FINISH: u32 = NOTHING;
const LANES: u32 = 64;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(LANES)
fn matmulNaive(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(linearGroup(group, groups) * LANES + lane, 1, 1);
  if (!tile.exists) { return; }
  let a0 = aAt(tile, tile.firstRow);
  let b0 = bAt(tile, tile.firstColumn);
  var sum = 0.0;
  for (var k = 0u; k < tile.depth; k++) {
    sum += a[a0 + k * params.aStep] * b[b0 + k * params.bStep];
  }
  let at = cAt(tile, tile.firstRow, tile.firstColumn);
  let total = vec4f(sum + columnBias(tile, tile.firstColumn).x);
  c[at] = finished(FINISH, total, rowChannel(tile, tile.firstRow), vec4f(c[at]), params.relu == 1).x;
}
