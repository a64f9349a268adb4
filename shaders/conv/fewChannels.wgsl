// y[n, k, p, q] = bias[k] + sum over c, r and s of x[n, c, p * STRIDE + r - 1, q * STRIDE + s - 1] * weight[k, c, r, s]: a 3x3
// convolution of images with CHANNELS = 1 or 3.
// threads: LANES in a workgroup, each four columns of y in OUTPUTS channels, walking down ROWS rows: the loaded values of x are
// used in all of these channels and in three rows, and the weights are loaded once.
// uses: lib/grid.wgsl, lib/windows.wgsl
const BIAS: bool = false;
const ALIGNED: bool = false;      // Q is a multiple of 4: y is stored as vec4
const CHANNELS: u32 = 1;
const STRIDE: u32 = 1;
const OUTPUTS: u32 = 8;
const ROWS: u32 = 16;
const COLUMNS: u32 = 4;
const LANES: u32 = 64;
struct Params {
  images: u32,
  outputs: u32,      // K
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  tiles: vec2u,      // of a plane of y
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;               // [N, CHANNELS, H, W]
@group(0) @binding(2) var<storage, read> weight: array<f32>;          // [K, CHANNELS, 3, 3]
@group(0) @binding(3) var<storage, read> bias: array<f32>;            // [K], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;         // [N, K, P, Q]
@group(0) @binding(5) var<storage, read_write> yQuads: array<vec4f>;  // instead of y, with ALIGNED

fn store(image: u32, k: u32, p: u32, q: u32, sums: vec4f) {
  if (k >= params.outputs) { return; }
  let at = ((image * params.outputs + k) * params.output.x + p) * params.output.y + q;
  if (ALIGNED) {
    yQuads[at / 4] = sums;
    return;
  }
  for (var j = 0u; j < min(4, params.output.y - q); j++) { y[at + j] = sums[j]; }
}

@compute @workgroup_size(LANES)
fn fewChannels(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let q = (id % params.tiles.y) * COLUMNS;
  let p = ((id / params.tiles.y) % params.tiles.x) * ROWS;
  let blocks = (params.outputs + OUTPUTS - 1) / OUTPUTS;
  let firstOutput = ((id / (params.tiles.x * params.tiles.y)) % blocks) * OUTPUTS;
  let image = id / (params.tiles.x * params.tiles.y * blocks);
  if (image >= params.images) { return; }
  var taps: array<array<mat3x3f, CHANNELS>, OUTPUTS>;   // a column for each row of a window
  var shifts: array<f32, OUTPUTS>;
  for (var o = 0u; o < OUTPUTS; o++) {
    let k = min(firstOutput + o, params.outputs - 1);
    for (var c = 0u; c < CHANNELS; c++) {
      for (var r = 0u; r < 3; r++) {
        let at = ((k * CHANNELS + c) * 3 + r) * 3;
        taps[o][c][r] = vec3f(weight[at], weight[at + 1], weight[at + 2]);
      }
    }
    if (BIAS) { shifts[o] = bias[k]; }
  }
  let w = q * STRIDE - 1;
  var above: array<mat3x4f, CHANNELS>;
  var level: array<mat3x4f, CHANNELS>;
  for (var c = 0u; c < CHANNELS; c++) {
    above[c] = windows(image * CHANNELS + c, p * STRIDE - 1, w);
    level[c] = windows(image * CHANNELS + c, p * STRIDE, w);
  }
  for (var row = p; row < min(p + ROWS, params.output.x); row++) {
    var below: array<mat3x4f, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) { below[c] = windows(image * CHANNELS + c, row * STRIDE + 1, w); }
    for (var o = 0u; o < OUTPUTS; o++) {
      var sums = vec4f(shifts[o]);
      for (var c = 0u; c < CHANNELS; c++) {
        sums += above[c] * taps[o][c][0] + level[c] * taps[o][c][1] + below[c] * taps[o][c][2];
      }
      store(image, firstOutput + o, row, q, sums);
    }
    for (var c = 0u; c < CHANNELS; c++) {
      if (STRIDE == 1) {
        above[c] = level[c];
        level[c] = below[c];
      } else {
        above[c] = below[c];
        level[c] = windows(image * CHANNELS + c, row * STRIDE + 2, w);
      }
    }
  }
}
