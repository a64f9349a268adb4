// y[i] = bits, of any four-byte type.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32, bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<bits>>;

@compute @workgroup_size(LANES)
fn fill(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i < params.vectors) { y[i] = vec4u(params.bits); }
  }
}
