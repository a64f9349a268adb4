// y[n, c, p, q] = bias[c] + sum over r and s of x[n, c, p * STRIDE + r - PADDING, q * STRIDE + s - PADDING] * weight[c, r, s]:
// a convolution of each channel by itself.
// threads: LANES in a group, a tile of ROWS x COLUMNS of y each, so that an element of x is loaded once for all its taps.
// uses: lib/grid.wgsl
const BIAS: bool = false;
const LANES: u32 = 64;
const WINDOW: u32 = 3;
const STRIDE: u32 = 1;
const PADDING: u32 = 1;
const ROWS: u32 = 4;
const COLUMNS: u32 = 4;
const HIGH: u32 = (ROWS - 1) * STRIDE + WINDOW;     // rows of x under a tile
const WIDE: u32 = (COLUMNS - 1) * STRIDE + WINDOW;
struct Params {
  planes: u32,       // N * C
  channels: u32,     // C
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  tiles: vec2u,      // of a plane of y
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [C, 1, WINDOW, WINDOW]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [C], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;     // [N, C, P, Q]

@compute @workgroup_size(LANES)
fn depthwise(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let plane = id / (params.tiles.x * params.tiles.y);
  if (plane >= params.planes) { return; }
  let tile = vec2u((id / params.tiles.y) % params.tiles.x, id % params.tiles.y) * vec2u(ROWS, COLUMNS);
  let channel = plane % params.channels;
  var taps: array<f32, WINDOW * WINDOW>;
  for (var t = 0u; t < WINDOW * WINDOW; t++) { taps[t] = weight[channel * WINDOW * WINDOW + t]; }
  var sums: array<array<f32, COLUMNS>, ROWS>;
  if (BIAS) {
    for (var a = 0u; a < ROWS; a++) { for (var b = 0u; b < COLUMNS; b++) { sums[a][b] = bias[channel]; } }
  }
  let corner = tile * STRIDE - PADDING;  // wraps to a large number in the padding
  for (var i = 0u; i < HIGH; i++) {
    let h = corner.x + i;
    let start = (plane * params.input.x + h) * params.input.y;
    var row: array<f32, WIDE>;
    for (var j = 0u; j < WIDE; j++) {
      let w = corner.y + j;
      let inside = h < params.input.x && w < params.input.y;
      row[j] = select(0.0, x[select(0u, start + w, inside)], inside);
    }
    for (var a = 0u; a < ROWS; a++) {
      if (i < a * STRIDE || i >= a * STRIDE + WINDOW) { continue; }
      let r = i - a * STRIDE;
      for (var b = 0u; b < COLUMNS; b++) {
        for (var s = 0u; s < WINDOW; s++) { sums[a][b] += row[b * STRIDE + s] * taps[r * WINDOW + s]; }
      }
    }
  }
  for (var a = 0u; a < ROWS; a++) {
    for (var b = 0u; b < COLUMNS; b++) {
      let place = tile + vec2u(a, b);
      if (place.x < params.output.x && place.y < params.output.y) {
        y[(plane * params.output.x + place.x) * params.output.y + place.y] = sums[a][b];
      }
    }
  }
}
