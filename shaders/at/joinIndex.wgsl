// y = before * size + index: the place in the dimensions that several indices select from. Negative indices count from the end; where
// an index is outside, y is -1.
// threads: LANES in a workgroup, one element each.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params {
  count: u32,
  size: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> before: array<i32>;  // [count], -1 where outside
@group(0) @binding(2) var<storage, read> index: array<i32>;   // [count]
@group(0) @binding(3) var<storage, read_write> y: array<i32>;  // [count]

@compute @workgroup_size(LANES)
fn joinIndex(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.count) { return; }
  var place = index[id];
  if (place < 0) { place += params.size; }
  let isOutside = place < 0 || place >= params.size || before[id] < 0;
  y[id] = select(before[id] * params.size + place, -1, isOutside);
}
