// dw[t, c, r, s] = sum over the elements of part t of x[n, c, p * STRIDE + r - 1, q * STRIDE + s - 1] * dy[n, c, p, q]: the
// weight gradient of depthwise. A part is four columns of dy of one image; the parts are added up by a second pass.
// threads: LANES in a workgroup, one channel of one part each, walking down.
// uses: lib/grid.wgsl, lib/windows.wgsl
const LANES: u32 = 64;
const STRIDE: u32 = 1;
const COLUMNS: u32 = 4;
struct Params {
  parts: u32,        // N * strips
  strips: u32,       // of COLUMNS columns, in a plane of dy
  channels: u32,     // C
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> dy: array<f32>;          // [N, C, P, Q]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;    // [parts, C, 3, 3]

fn store(at: u32, sums: vec3f) {
  dw[at] = sums.x;
  dw[at + 1] = sums.y;
  dw[at + 2] = sums.z;
}

@compute @workgroup_size(LANES)
fn depthwiseWeightGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.parts * params.channels) { return; }
  let part = id / params.channels;
  let plane = (part / params.strips) * params.channels + id % params.channels;
  let q = (part % params.strips) * COLUMNS;
  let w = q * STRIDE - 1;
  let inside = vec4u(q, q + 1, q + 2, q + 3) < vec4u(params.output.y);
  let places = min(vec4u(q, q + 1, q + 2, q + 3), vec4u(params.output.y - 1));
  var top: vec3f;
  var middle: vec3f;
  var bottom: vec3f;
  var above = windows(plane, 0u - 1, w);
  var level = windows(plane, 0, w);
  for (var p = 0u; p < params.output.x; p++) {
    let below = windows(plane, p * STRIDE + 1, w);
    let at = (plane * params.output.x + p) * params.output.y + places;
    let slopes = select(vec4f(), vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]), inside);
    top += slopes * above;
    middle += slopes * level;
    bottom += slopes * below;
    if (STRIDE == 1) {
      above = level;
      level = below;
    } else {
      above = below;
      level = windows(plane, p * STRIDE + 2, w);
    }
  }
  store(9 * id, top);
  store(9 * id + 3, middle);
  store(9 * id + 6, bottom);
}
