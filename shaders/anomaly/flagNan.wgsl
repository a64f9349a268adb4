// flags[slot] = 1 if any x[i] is NaN.
// threads: LANES in a group; each looks at VECTORS vec4 that lie LANES apart.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { size: u32, slot: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<bits>>;  // the bits of float32
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;

@compute @workgroup_size(LANES)
fn flagNan(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = (first + v * LANES) * 4;
    if (i >= params.size) { continue; }
    // What lies behind the last element is arbitrary and does not count.
    let counts = vec4u(i, i + 1, i + 2, i + 3) < vec4u(params.size);
    let isNan = (x[i / 4] & vec4u(0x7fffffff)) > vec4u(0x7f800000);
    if (any(counts & isNan)) { atomicOr(&flags[params.slot], 1u); }
  }
}
