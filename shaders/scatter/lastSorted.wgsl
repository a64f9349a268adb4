// y[o, l, i] = the last j with index[o, j, i] == l, for sorted indices; -1 and -2 as in lastIndex.
// threads: LANES in a workgroup, one element of y each, which finds its last index by bisection.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params {
  size: u32,
  length: u32,
  inner: u32,
  count: u32,
  reports: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>;       // [outer, inner, count]
@group(0) @binding(2) var<storage, read> order: array<u32>;      // [outer, inner, count]
@group(0) @binding(3) var<storage, read_write> y: array<i32>;  // [outer, length, inner]

@compute @workgroup_size(LANES)
fn lastSorted(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.size) { return; }
  let i = id % params.inner;
  let place = (id / params.inner) % params.length;
  let column = (id / (params.inner * params.length) * params.inner + i) * params.count;
  // The number of keys up to `place`; 1 where there are none, as the first one differs from it.
  var low = 1u;
  var high = params.count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (keys[column + middle] <= place) { low = middle + 1; } else { high = middle; }
  }
  var last = -1;
  if (keys[column + low - 1] == place) { last = i32(order[column + low - 1]); }
  if (params.reports == 1 && keys[column + params.count - 1] >= params.length) { last = -2; }
  y[id] = last;
}
