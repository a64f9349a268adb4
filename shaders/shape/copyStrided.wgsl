// y[yOffset + c . yStrides] = x[xOffset + c . xStrides] for every coordinate c of a box: one kernel for transpose,
// slice, flip, expand, pad and concatenation. Bits of any four-byte type.
// threads: LANES in a group, ELEMENTS elements each that lie LANES apart.
// uses: lib/grid.wgsl
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
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(LANES)
fn copyStrided(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * ELEMENTS + lane;
  for (var e = 0u; e < ELEMENTS; e++) {
    var rest = first + e * LANES;
    if (rest >= params.size) { continue; }
    var xAt = params.xOffset;
    var yAt = params.yOffset;
    for (var d = params.rank; d > 0; d--) {
      let dim = d - 1;
      let size = params.shape[dim / 4][dim % 4];
      let coordinate = i32(rest % size);
      rest /= size;
      xAt += coordinate * params.xStrides[dim / 4][dim % 4];
      yAt += coordinate * params.yStrides[dim / 4][dim % 4];
    }
    y[yAt] = x[xAt];
  }
}
