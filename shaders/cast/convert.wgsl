// y[i] = x[i] as another type; towards bool (TRUTH) every value but 0 is 1. Floats round towards zero and saturate.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl
alias element = f32;
alias result = f32;
const TRUTH: bool = false;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<element>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<result>>;

@compute @workgroup_size(LANES)
fn convert(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    if (TRUTH) { y[i] = vec4<result>(!(x[i] == vec4<element>())); } else { y[i] = vec4<result>(x[i]); }
  }
}
