// y[o, j, i] = x[o, index[o, j, i], i], as bits of any four-byte type; where the index is outside, `params.outside`.
// An index that all i share is given as [outer, count, 1], one that all o share with an indexCount of 0. The bindings are windows
// of the tensors; indices outside the window of x are left to another dispatch.
// threads: LANES in a workgroup, one element of y each.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const KEEPS: bool = false;  // y keeps its value where the index is -1
const LANES: u32 = 64;
struct Params {
  length: u32,
  inner: u32,
  count: u32,
  indexCount: u32,
  indexInner: u32,
  outside: u32,
  xFirst: u32,
  xSize: u32,
  indexFirst: u32,
  yFirst: u32,
  ySize: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<bits>;      // [outer, length, inner]
@group(0) @binding(2) var<storage, read> index: array<bits>;  // [outer or 1, count, indexInner]; negative ones are large here
@group(0) @binding(3) var<storage, read_write> y: array<bits>;  // [outer, count, inner]

@compute @workgroup_size(LANES)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.ySize) { return; }
  let row = (params.yFirst + id) / params.inner;
  let i = params.yFirst + id - row * params.inner;
  let outer = row / params.count;
  let indexRow = row - outer * (params.count - params.indexCount);
  let place = index[indexRow * params.indexInner + min(i, params.indexInner - 1) - params.indexFirst];
  if (place >= params.length) {
    if (!KEEPS || place != 0xffffffff) { y[id] = params.outside; }
  } else {
    // Negative differences wrap to large numbers.
    let at = (outer * params.length + place) * params.inner + i - params.xFirst;
    if (at < params.xSize) { y[id] = x[at]; }
  }
}
