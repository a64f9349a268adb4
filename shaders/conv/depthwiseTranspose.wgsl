// x[n, c, h, w] = bias[c] + sum over r and s of y[n, c, p, q] * weight[c, r, s], where 2 p + r - 1 = h and 2 q + s - 1 = w:
// the transpose of depthwise with stride 2. Even rows and columns use tap 1 only, odd ones taps 0 and 2.
// threads: LANES in a workgroup, ROWS x COLUMNS elements of x each, walking down two rows at a time.
// uses: lib/grid.wgsl
const BIAS: bool = false;
const LANES: u32 = 64;
const ROWS: u32 = 8;
const COLUMNS: u32 = 8;
struct Params {
  planes: u32,       // N * C
  channels: u32,     // C
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  tiles: vec2u,      // of a plane of x
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;           // [N, C, P, Q]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [C, 1, 3, 3]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [C], with BIAS
@group(0) @binding(4) var<storage, read_write> x: array<f32>;     // [N, C, H, W]

fn elementOrZero(start: u32, column: u32) -> f32 {
  return select(0.0, y[start + min(column, params.output.y - 1)], column < params.output.y);
}

// Four elements of a row of y, and the four that start one element later.
fn neighbors(plane: u32, row: u32, column: u32) -> mat2x4f {
  if (row >= params.output.x) { return mat2x4f(); }
  let start = (plane * params.output.x + row) * params.output.y;
  let near = vec4f(
    elementOrZero(start, column),
    elementOrZero(start, column + 1),
    elementOrZero(start, column + 2),
    elementOrZero(start, column + 3),
  );
  return mat2x4f(near, vec4f(near.yzw, elementOrZero(start, column + 4)));
}

fn store(plane: u32, row: u32, column: u32, even: vec4f, odd: vec4f) {
  if (row >= params.input.x) { return; }
  let start = (plane * params.input.x + row) * params.input.y;
  for (var j = 0u; j < 4; j++) {
    let w = column + 2 * j;
    if (w < params.input.y) { x[start + w] = even[j]; }
    if (w + 1 < params.input.y) { x[start + w + 1] = odd[j]; }
  }
}

@compute @workgroup_size(LANES)
fn depthwiseTranspose(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let plane = id / (params.tiles.x * params.tiles.y);
  if (plane >= params.planes) { return; }
  let h = ((id / params.tiles.y) % params.tiles.x) * ROWS;
  let w = (id % params.tiles.y) * COLUMNS;
  let channel = plane % params.channels;
  let t = 9 * channel;
  var shift = 0.0;
  if (BIAS) { shift = bias[channel]; }
  // The columns of the matrices multiply tap 2 (same element) and tap 0 (the next one).
  let top = vec2f(weight[t + 2], weight[t]);
  let middle = vec2f(weight[t + 5], weight[t + 3]);
  let bottom = vec2f(weight[t + 8], weight[t + 6]);
  var level = neighbors(plane, h / 2, w / 2);
  for (var row = h; row < min(h + ROWS, params.input.x); row += 2) {
    let below = neighbors(plane, row / 2 + 1, w / 2);
    store(plane, row, w, level[0] * weight[t + 4] + shift, level * middle + shift);
    store(plane, row + 1, w, below[0] * weight[t + 1] + level[0] * weight[t + 7] + shift, below * top + level * bottom + shift);
    level = below;
  }
}
