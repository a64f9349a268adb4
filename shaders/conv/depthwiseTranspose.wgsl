// x[n, c, h, w] = bias[c] + sum over r and s of y[n, c, p, q] * weight[c, r, s], where p * STRIDE + r - PADDING = h and
// likewise q, w: the transpose of depthwise.
// threads: LANES in a group, a tile of ROWS x COLUMNS of x each; which taps meet which elements is known beforehand.
// uses: lib/grid.wgsl
const BIAS: bool = false;
const LANES: u32 = 64;
const WINDOW: u32 = 3;
const STRIDE: u32 = 1;
const PADDING: u32 = 1;
const ROWS: u32 = 4;
const COLUMNS: u32 = 4;
const AHEAD: u32 = (WINDOW - 1 + STRIDE - 1) / STRIDE;                // elements of y before the tile's own first
const HIGH: u32 = (ROWS - 1 + PADDING) / STRIDE + AHEAD + 1;          // rows of y under a tile
const WIDE: u32 = (COLUMNS - 1 + PADDING) / STRIDE + AHEAD + 1;
const_assert ROWS % STRIDE == 0 && COLUMNS % STRIDE == 0;             // tiles start at a multiple of the stride
struct Params {
  planes: u32,       // N * C
  channels: u32,     // C
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  tiles: vec2u,      // of a plane of x
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;           // [N, C, P, Q]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [C, 1, WINDOW, WINDOW]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [C], with BIAS
@group(0) @binding(4) var<storage, read_write> x: array<f32>;     // [N, C, H, W]

@compute @workgroup_size(LANES)
fn depthwiseTranspose(
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
  let corner = tile / STRIDE - AHEAD;  // wraps to a large number before the first element
  for (var i = 0u; i < HIGH; i++) {
    let p = corner.x + i;
    let start = (plane * params.output.x + p) * params.output.y;
    var row: array<f32, WIDE>;
    for (var j = 0u; j < WIDE; j++) {
      let q = corner.y + j;
      let inside = p < params.output.x && q < params.output.y;
      row[j] = select(0.0, y[select(0u, start + q, inside)], inside);
    }
    for (var a = 0u; a < ROWS; a++) {
      let r = a + PADDING + AHEAD * STRIDE - i * STRIDE;  // the tap by which row i of y reaches row a of the tile
      if (r >= WINDOW) { continue; }
      for (var b = 0u; b < COLUMNS; b++) {
        for (var j = 0u; j < WIDE; j++) {
          let s = b + PADDING + AHEAD * STRIDE - j * STRIDE;
          if (s < WINDOW) { sums[a][b] += row[j] * taps[r * WINDOW + s]; }
        }
      }
    }
  }
  for (var a = 0u; a < ROWS; a++) {
    for (var b = 0u; b < COLUMNS; b++) {
      let place = tile + vec2u(a, b);
      if (place.x < params.input.x && place.y < params.input.y) {
        x[(plane * params.input.x + place.x) * params.input.y + place.y] = sums[a][b];
      }
    }
  }
}
