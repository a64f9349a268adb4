// flags[slot] |= NAN_SEEN if any x[i] is NaN, INFINITY_SEEN if any is infinite.
// threads: LANES in a workgroup; each tests VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 256;
const VECTORS: u32 = 4;
const NAN_SEEN: u32 = 1;
const INFINITY_SEEN: u32 = 2;
struct Params { size: u32, slot: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<bits>>;  // the bits of float32
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;

@compute @workgroup_size(LANES)
fn flagNonFinite(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  var seen = 0u;
  for (var v = 0u; v < VECTORS; v++) {
    let i = (first + v * LANES) * 4;
    if (i >= params.size) { continue; }
    // Values after the last element are arbitrary and ignored.
    let counts = vec4u(i, i + 1, i + 2, i + 3) < vec4u(params.size);
    let magnitude = x[i / 4] & vec4u(0x7fffffff);
    if (any(counts & (magnitude > vec4u(0x7f800000)))) { seen |= NAN_SEEN; }
    if (any(counts & (magnitude == vec4u(0x7f800000)))) { seen |= INFINITY_SEEN; }
  }
  if (seen != 0) { atomicOr(&flags[params.slot], seen); }
}
