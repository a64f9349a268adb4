// y = x.
// threads: LANES per workgroup; each copies VECTORS vec4 at a distance of LANES, as elementwise kernels do.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 4;
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if i < params.vectors { y[i] = x[i]; }
  }
}
