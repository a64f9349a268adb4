// y[i] = x[i]: measures the adapter's peak bandwidth.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 4;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn peakCopy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i < arrayLength(&x)) { y[i] = x[i]; }
  }
}
