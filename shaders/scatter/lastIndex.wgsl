// y[o, l, i] = the last j with index[o, j, i] == l; -1 if there is none, and -2 where an index outside counts as an error.
// threads: LANES in a workgroup, one element of y each, which reads every index of its column.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 64;
struct Params {
  size: u32,
  length: u32,
  inner: u32,
  count: u32,
  reports: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<bits>;     // [outer, count, inner]
@group(0) @binding(2) var<storage, read_write> y: array<i32>;  // [outer, length, inner]

@compute @workgroup_size(LANES)
fn lastIndex(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.size) { return; }
  let i = id % params.inner;
  let place = (id / params.inner) % params.length;
  let first = id / (params.inner * params.length) * params.count;
  var last = -1;
  var isOutside = false;
  for (var j = 0u; j < params.count; j++) {
    let found = index[(first + j) * params.inner + i];
    if (found == place) { last = i32(j); }
    isOutside = isOutside || found >= params.length;
  }
  if (isOutside && params.reports == 1) { last = -2; }
  y[id] = last;
}
