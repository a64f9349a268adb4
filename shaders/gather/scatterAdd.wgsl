// y[o, l, i] = sum of x[o, j, i] over the j with index[o, j, i] == l: the gradient of gather, without atomics, in one order.
// threads: LANES in a group, one element of y each, which looks at every index of its column.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params { outer: u32, length: u32, inner: u32, count: u32, indexInner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // [outer, count, inner]
@group(0) @binding(2) var<storage, read> index: array<u32>;    // [outer, count, indexInner]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // [outer, length, inner]

@compute @workgroup_size(LANES)
fn scatterAdd(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.outer * params.length * params.inner) { return; }
  let i = id % params.inner;
  let place = (id / params.inner) % params.length;
  let first = (id / (params.inner * params.length)) * params.count;
  var sum = 0.0;
  for (var row = first; row < first + params.count; row++) {
    if (index[row * params.indexInner + i % params.indexInner] == place) { sum += x[row * params.inner + i]; }
  }
  y[id] = sum;
}
