// average += (1 - decay) * (x - average): an exponential moving average, in place.
// threads: LANES in a workgroup, one vec4 each, of one of up to SLOTS tensors.
// reference: Polyak and Juditsky (1992), with exponential weights.
// uses: lib/grid.wgsl
const SLOTS: u32 = 7;
const LANES: u32 = 64;
const VECTORS: u32 = 1;
const_assert SLOTS <= 8;
struct Params {
  firstGroups: array<vec4u, 2>,  // the first workgroup of each slot; past the last one for an empty slot
  sizes: array<vec4u, 2>,        // elements of each slot
  firsts: array<vec4u, 2>,       // the first element of each slot in average
  newPart: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x0: array<vec4f>;
@group(0) @binding(2) var<storage, read> x1: array<vec4f>;
@group(0) @binding(3) var<storage, read> x2: array<vec4f>;
@group(0) @binding(4) var<storage, read> x3: array<vec4f>;
@group(0) @binding(5) var<storage, read> x4: array<vec4f>;
@group(0) @binding(6) var<storage, read> x5: array<vec4f>;
@group(0) @binding(7) var<storage, read> x6: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> average: array<vec4f>;  // of all slots

@compute @workgroup_size(LANES)
fn follow(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let begun = vec4u(vec4u(id) >= params.firstGroups[0]) + vec4u(vec4u(id) >= params.firstGroups[1]);
  let slot = dot(begun, vec4u(1)) - 1;
  let i = (id - params.firstGroups[slot / 4][slot % 4]) * LANES + lane;
  if (4 * i >= params.sizes[slot / 4][slot % 4]) { return; }
  var x: vec4f;
  switch slot {
    case 0: { x = x0[i]; }
    case 1: { x = x1[i]; }
    case 2: { x = x2[i]; }
    case 3: { x = x3[i]; }
    case 4: { x = x4[i]; }
    case 5: { x = x5[i]; }
    default: { x = x6[i]; }
  }
  let kept = params.firsts[slot / 4][slot % 4] / 4 + i;
  average[kept] += params.newPart * (x - average[kept]);
}
