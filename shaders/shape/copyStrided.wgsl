// y[yOffset + c . yStrides] = x[xOffset + c . xStrides] for every coordinate c of a box: one kernel for transpose,
// slice, flip, expand, pad and concatenation. Bits of any four-byte type.
// threads: LANES in a workgroup, ELEMENTS consecutive elements of the box each.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const WHOLE_ROWS: bool = false;  // ELEMENTS divides the innermost size: a thread's elements are in one row
const LANES: u32 = 64;
const ELEMENTS: u32 = 4;
struct Params {
  size: u32,
  rank: u32,
  xOffset: i32,
  yOffset: i32,
  shape: array<vec4u, 2>,
  xStrides: array<vec4i, 2>,
  yStrides: array<vec4i, 2>,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<bits>;
@group(0) @binding(2) var<storage, read_write> y: array<bits>;

@compute @workgroup_size(LANES)
fn copyStrided(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (linearGroup(group, groups) * LANES + lane) * ELEMENTS;
  if (first >= params.size) { return; }
  if (WHOLE_ROWS) {
    let inner = params.rank - 1;
    let step = vec2i(params.xStrides[inner / 4][inner % 4], params.yStrides[inner / 4][inner % 4]);
    let start = places(first);
    for (var e = 0; e < i32(ELEMENTS); e++) {
      let at = start + e * step;
      y[at.y] = x[at.x];
    }
  } else {
    for (var i = first; i < min(first + ELEMENTS, params.size); i++) {
      let at = places(i);
      y[at.y] = x[at.x];
    }
  }
}

// The offsets of element i of the box in x and in y.
fn places(i: u32) -> vec2i {
  var rest = i;
  var at = vec2i(params.xOffset, params.yOffset);
  for (var d = params.rank; d > 0; d--) {
    let dim = d - 1;
    let size = params.shape[dim / 4][dim % 4];
    let coordinate = i32(rest % size);
    rest /= size;
    at += coordinate * vec2i(params.xStrides[dim / 4][dim % 4], params.yStrides[dim / 4][dim % 4]);
  }
  return at;
}
