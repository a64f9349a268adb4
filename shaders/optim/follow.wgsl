// average += (1 - decay) * (x - average): an exponential moving average, in place.
// threads: LANES in a group; each does VECTORS vec4 that lie LANES apart.
// reference: Polyak and Juditsky (1992), with exponential weights.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 4;
struct Params { vectors: u32, newPart: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> average: array<vec4f>;

@compute @workgroup_size(LANES)
fn follow(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    average[i] += params.newPart * (x[i] - average[i]);
  }
}
