// dw[t, k, c, r, s] = sum over the elements of part t of x[n, c, p * STRIDE + r - 1, q * STRIDE + s - 1] * dy[n, k, p, q]: the
// weight gradient of fewChannels. A part is four columns of dy of one image; the parts are added up by a second pass.
// threads: LANES in a workgroup, OUTPUTS channels of dy and one of x of one part each, walking down: the loaded values of x are
// used in all of these channels and in three rows.
// uses: lib/grid.wgsl, lib/windows.wgsl
const ALIGNED: bool = false;      // Q is a multiple of 4: dy is read as vec4
const STRIDE: u32 = 1;
const OUTPUTS: u32 = 8;
const COLUMNS: u32 = 4;
const LANES: u32 = 64;
struct Params {
  parts: u32,        // N * strips
  strips: u32,       // of COLUMNS columns, in a plane of dy
  channels: u32,     // C
  outputs: u32,      // K
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> dy: array<f32>;          // [N, K, P, Q]
@group(0) @binding(3) var<storage, read> dyQuads: array<vec4f>;   // instead of dy, with ALIGNED
@group(0) @binding(4) var<storage, read_write> dw: array<f32>;    // [parts, K, C, 3, 3]

fn slopesAt(image: u32, k: u32, p: u32, q: u32) -> vec4f {
  let start = ((image * params.outputs + min(k, params.outputs - 1)) * params.output.x + p) * params.output.y;
  if (ALIGNED) { return dyQuads[(start + q) / 4]; }
  let places = vec4u(q, q + 1, q + 2, q + 3);
  let at = start + min(places, vec4u(params.output.y - 1));
  return select(vec4f(), vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]), places < vec4u(params.output.y));
}

@compute @workgroup_size(LANES)
fn fewChannelsWeightGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let part = id % params.parts;
  let c = (id / params.parts) % params.channels;
  let firstOutput = id / (params.parts * params.channels) * OUTPUTS;
  if (firstOutput >= params.outputs) { return; }
  let image = part / params.strips;
  let plane = image * params.channels + c;
  let q = (part % params.strips) * COLUMNS;
  let w = q * STRIDE - 1;
  var sums: array<mat3x3f, OUTPUTS>;   // a column for each row of a window
  var above = windows(plane, 0u - 1, w);
  var level = windows(plane, 0, w);
  for (var p = 0u; p < params.output.x; p++) {
    let below = windows(plane, p * STRIDE + 1, w);
    for (var o = 0u; o < OUTPUTS; o++) {
      let slopes = slopesAt(image, firstOutput + o, p, q);
      sums[o] += mat3x3f(slopes * above, slopes * level, slopes * below);
    }
    if (STRIDE == 1) {
      above = level;
      level = below;
    } else {
      above = below;
      level = windows(plane, p * STRIDE + 2, w);
    }
  }
  for (var o = 0u; o < min(OUTPUTS, params.outputs - firstOutput); o++) {
    for (var r = 0u; r < 3; r++) {
      for (var s = 0u; s < 3; s++) {
        dw[(((part * params.outputs + firstOutput + o) * params.channels + c) * 3 + r) * 3 + s] = sums[o][r][s];
      }
    }
  }
}
