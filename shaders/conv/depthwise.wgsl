// y[n, c, p, q] = bias[c] + sum over r and s of x[n, c, p * STRIDE + r - 1, q * STRIDE + s - 1] * weight[c, r, s]: a 3x3
// depthwise convolution. FLIPPED takes weight[c, 2 - r, 2 - s]: the transpose, where STRIDE is 1.
// threads: LANES in a workgroup, ROWS x 4 elements of y each, walking down, so that three rows of a window are in registers.
// uses: lib/grid.wgsl, lib/windows.wgsl
const BIAS: bool = false;
const FLIPPED: bool = false;
const LANES: u32 = 64;
const STRIDE: u32 = 1;
const ROWS: u32 = 8;
const COLUMNS: u32 = 4;
struct Params {
  planes: u32,       // N * C
  channels: u32,     // C
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  tiles: vec2u,      // of a plane of y
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [C, 1, 3, 3]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [C], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;     // [N, C, P, Q]

fn taps(channel: u32, row: u32) -> vec3f {
  let at = 9 * channel + 3 * select(row, 2 - row, FLIPPED);
  let taps = vec3f(weight[at], weight[at + 1], weight[at + 2]);
  return select(taps, taps.zyx, FLIPPED);
}

@compute @workgroup_size(LANES)
fn depthwise(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let plane = id / (params.tiles.x * params.tiles.y);
  if (plane >= params.planes) { return; }
  let p = ((id / params.tiles.y) % params.tiles.x) * ROWS;
  let q = (id % params.tiles.y) * COLUMNS;
  let channel = plane % params.channels;
  let top = taps(channel, 0);
  let middle = taps(channel, 1);
  let bottom = taps(channel, 2);
  var shift = 0.0;
  if (BIAS) { shift = bias[channel]; }
  let w = q * STRIDE - 1;
  var above = windows(plane, p * STRIDE - 1, w);
  var level = windows(plane, p * STRIDE, w);
  for (var row = p; row < min(p + ROWS, params.output.x); row++) {
    let below = windows(plane, row * STRIDE + 1, w);
    let sums = above * top + level * middle + below * bottom + shift;
    let at = (plane * params.output.x + row) * params.output.y + q;
    y[at] = sums.x;
    if (q + 1 < params.output.y) { y[at + 1] = sums.y; }
    if (q + 2 < params.output.y) { y[at + 2] = sums.z; }
    if (q + 3 < params.output.y) { y[at + 3] = sums.w; }
    if (STRIDE == 1) {
      above = level;
      level = below;
    } else {
      above = below;
      level = windows(plane, row * STRIDE + 2, w);
    }
  }
}
