// Z = T d T^T for every window d of x, SIZE x SIZE `pace` apart: the transform into Winograd's domain of POINTS x POINTS
// products. T is B^T for the input, G for the weights (one window a "channel", that of weight [K, C, 3, 3]), and A for the
// gradient of the output. Outside of x it is zero.
// threads: LANES in a workgroup; each does four windows of a channel, or with CHANNELS_LAST one window of four channels.
// reference: Lavin and Gray (2016).
// uses: lib/grid.wgsl, lib/winograd.wgsl
const M: u32 = 4;
const MATRIX: u32 = INPUT;
const SIZE: u32 = 6;
const POINTS: u32 = 6;
const CHANNELS_LAST: bool = false;
const FLIPPED: bool = false;       // windows are reversed, as the weights of a transposed convolution are
const LANES: u32 = 64;
const QUADS: u32 = (SIZE + 2) / 4 + 1;   // the most vec4 that a row of a window touches, at any start
struct Params {
  channels: u32,
  plane: vec2u,     // rows and columns of x
  tiles: vec2u,     // windows down and across
  windows: u32,     // in all: images * tiles
  rows: u32,        // of Z: channels or windows
  columns: u32,     // of Z, a multiple of 4: windows or channels
  block: u32,       // consecutive vec4 of a row of Z; blocks follow each other
  step: u32,        // vec4 from one row of a block to the next
  pace: u32,        // from one window to the next
  padding: vec2i,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;        // [images, channels, plane]
@group(0) @binding(2) var<storage, read_write> z: array<vec4f>;  // [blocks, rows, POINTS * POINTS, block]

fn coefficient(point: u32, place: u32) -> f32 {
  // A is the transpose of OUTPUT_M.
  if (MATRIX == OUTPUT) { return winograd(M, OUTPUT, place, point); }
  return winograd(M, MATRIX, point, place);
}

// The start of a window: offset of its plane, then row and column.
struct Place { plane: u32, row: i32, column: i32 }

fn placeOf(window: u32, channel: u32) -> Place {
  let perImage = params.tiles.x * params.tiles.y;
  let tile = window % perImage;
  let plane = ((window / perImage) * params.channels + channel) * params.plane.x * params.plane.y;
  let row = i32((tile / params.tiles.y) * params.pace) - params.padding.x;
  let column = i32((tile % params.tiles.y) * params.pace) - params.padding.y;
  return Place(plane, row, column);
}

// A row of a window. Numbers are loaded four at a time, because a load of one costs the same, and shifted into place.
fn lineOf(place: Place, exists: bool, i: u32) -> array<f32, SIZE> {
  let row = place.row + i32(i);
  let start = i32(place.plane) + row * i32(params.plane.y) + place.column;
  var loaded: array<f32, 4 * QUADS>;
  for (var q = 0u; q < QUADS; q++) {
    let quad = x[u32(max((start >> 2) + i32(q), 0))];
    for (var e = 0u; e < 4; e++) { loaded[4 * q + e] = quad[e]; }
  }
  let two = (start & 2) != 0;
  let one = (start & 1) != 0;
  var line: array<f32, SIZE>;
  for (var j = 0u; j < SIZE; j++) {
    let even = select(loaded[j], loaded[j + 2], two);
    let odd = select(loaded[j + 1], loaded[min(j + 3, 4 * QUADS - 1)], two);
    let inside = exists && u32(row) < params.plane.x && u32(place.column + i32(j)) < params.plane.y;
    line[j] = select(0.0, select(even, odd, one), inside);
  }
  return line;
}

// Window v of the four, as numbers.
fn windowOf(row: u32, column: u32) -> array<array<f32, SIZE>, SIZE> {
  let at = select(vec2u(column, row), vec2u(row, column), CHANNELS_LAST);
  let exists = at.x < params.windows && at.y < params.channels;
  let place = placeOf(select(0u, at.x, exists), select(0u, at.y, exists));
  var window: array<array<f32, SIZE>, SIZE>;
  for (var i = 0u; i < SIZE; i++) { window[i] = lineOf(place, exists, select(i, SIZE - 1 - i, FLIPPED)); }
  return window;
}

@compute @workgroup_size(LANES)
fn winogradScatter(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let quads = params.columns / 4;
  if (id >= params.rows * quads) { return; }
  let row = id / quads;
  let first = (id % quads) * 4;
  let quad = id % quads;
  let start = ((quad / params.block) * params.rows + row) * params.step + quad % params.block;

  // Not a loop over the four: some compilers keep arrays with run-time indices in memory.
  let a = windowOf(row, first);
  let b = windowOf(row, first + 1);
  let c = windowOf(row, first + 2);
  let d = windowOf(row, first + 3);
  var window: array<array<vec4f, SIZE>, SIZE>;
  for (var i = 0u; i < SIZE; i++) {
    for (var j = 0u; j < SIZE; j++) {
      let taken = select(j, SIZE - 1 - j, FLIPPED);
      window[i][j] = vec4f(a[i][taken], b[i][taken], c[i][taken], d[i][taken]);
    }
  }
  var half: array<array<vec4f, SIZE>, POINTS>;
  for (var p = 0u; p < POINTS; p++) {
    for (var j = 0u; j < SIZE; j++) {
      var sum = vec4f();
      for (var i = 0u; i < SIZE; i++) {
        let factor = coefficient(p, i);
        if (factor != 0) { sum += factor * window[i][j]; }
      }
      half[p][j] = sum;
    }
  }
  for (var p = 0u; p < POINTS; p++) {
    for (var q = 0u; q < POINTS; q++) {
      var sum = vec4f();
      for (var j = 0u; j < SIZE; j++) {
        let factor = coefficient(q, j);
        if (factor != 0) { sum += factor * half[p][j]; }
      }
      z[start + (p * POINTS + q) * params.block] = sum;
    }
  }
}
