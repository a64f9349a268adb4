// y = T (sum over parts of Z) T^T for every window of y, SIZE x SIZE at steps of SIZE: the inverse transform from Winograd's
// domain. T is A^T for the output, to which the epilogue is applied (lib/epilogue.wgsl), and G^T for the gradient of the weights
// [K, C, 3, 3], K images of one window.
// threads: LANES in a workgroup; each does four windows of a channel, or with CHANNELS_LAST the one window of an image in four
// channels, whose numbers are consecutive in y.
// reference: Lavin and Gray (2016).
// uses: lib/grid.wgsl, lib/winograd.wgsl, lib/epilogue.wgsl
const M: u32 = 4;
const MATRIX: u32 = OUTPUT;
const SIZE: u32 = 4;
const POINTS: u32 = 6;
const CHANNELS_LAST: bool = false;
const FINISH: u32 = NOTHING;
const WIDTH: u32 = 1;              // numbers stored at once: 2 or 4 where the rows of y and their windows allow it
const LANES: u32 = 64;
struct Params {
  channels: u32,
  plane: vec2u,     // rows and columns of y
  tiles: vec2u,     // windows down and across
  windows: u32,     // in all: images * tiles
  rows: u32,        // of Z: channels, or windows
  columns: u32,     // of Z, a multiple of 4: windows, or channels
  parts: u32,
  block: u32,       // consecutive vec4 of a row of Z; blocks follow each other
  step: u32,        // vec4 from one row of a block to the next
  relu: u32,        // 1 to apply max(., 0) last
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;        // [blocks, rows, POINTS * POINTS, parts, block]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;         // [images, channels, plane]
@group(0) @binding(5) var<storage, read_write> yPairs: array<vec2f>;  // instead of y, with WIDTH 2
@group(0) @binding(6) var<storage, read_write> yQuads: array<vec4f>;  // instead of y, with WIDTH 4

fn coefficient(place: u32, point: u32) -> f32 {
  // G^T is the transpose of WEIGHT_M.
  if (MATRIX == WEIGHT) { return winograd(M, WEIGHT, point, place); }
  return winograd(M, OUTPUT, place, point);
}

fn finish(values: vec4f, channel: Channel, before: vec4f) -> vec4f {
  return finished(FINISH, values, channel, before, params.relu == 1);
}

// `values` are a row of a window of y that starts at element `at` of y; the last windows of a plane may be partly outside.
fn store(at: u32, values: array<f32, SIZE>, missing: u32, channel: Channel) {
  switch WIDTH {
    case 4: {
      let four = vec4f(values[0], values[1], values[min(2, SIZE - 1)], values[min(3, SIZE - 1)]);
      yQuads[at / 4] = finish(four, channel, yQuads[at / 4]);
    }
    case 2: {
      for (var j = 0u; j + 1 < SIZE; j += 2) {
        if (j + missing >= SIZE) { continue; }
        let pair = (at + j) / 2;
        yPairs[pair] = finish(vec4f(values[j], values[j + 1], 0, 0), channel, vec4f(yPairs[pair], 0, 0)).xy;
      }
    }
    default: {
      for (var j = 0u; j < SIZE; j++) {
        if (j + missing < SIZE) { y[at + j] = finish(vec4f(values[j]), channel, vec4f(y[at + j])).x; }
      }
    }
  }
}

// `values` are the windows, one per channel, of four channels starting at `first`, consecutive in y.
fn storeChannels(row: u32, first: u32, values: array<array<vec4f, SIZE>, SIZE>) {
  const AREA = SIZE * SIZE;
  let start = (row * params.channels + first) * AREA;
  var flat: array<f32, 4 * AREA>;
  for (var v = 0u; v < 4; v++) {
    for (var e = 0u; e < AREA; e++) { flat[v * AREA + e] = values[e / SIZE][e % SIZE][v]; }
  }
  if (WIDTH == 4) {
    for (var e = 0u; e < AREA; e++) {
      yQuads[start / 4 + e] = vec4f(flat[4 * e], flat[4 * e + 1], flat[4 * e + 2], flat[4 * e + 3]);
    }
    return;
  }
  for (var e = 0u; e < 4 * AREA; e++) {
    if (first + e / AREA < params.channels) { y[start + e] = flat[e]; }
  }
}

@compute @workgroup_size(LANES)
fn winogradGather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let quads = params.columns / 4;
  if (id >= params.rows * quads) { return; }
  let row = id / quads;
  let quad = id % quads;
  let start = ((quad / params.block) * params.rows + row) * params.step + quad % params.block;

  var half: array<array<vec4f, POINTS>, SIZE>;
  for (var q = 0u; q < POINTS; q++) {
    var column: array<vec4f, POINTS>;
    for (var p = 0u; p < POINTS; p++) {
      let at = start + (p * POINTS + q) * params.parts * params.block;
      column[p] = z[at];
      for (var part = 1u; part < params.parts; part++) { column[p] += z[at + part * params.block]; }
    }
    for (var i = 0u; i < SIZE; i++) {
      var sum = vec4f();
      for (var p = 0u; p < POINTS; p++) {
        let factor = coefficient(i, p);
        if (factor != 0) { sum += factor * column[p]; }
      }
      half[i][q] = sum;
    }
  }
  var values: array<array<vec4f, SIZE>, SIZE>;
  for (var i = 0u; i < SIZE; i++) {
    for (var j = 0u; j < SIZE; j++) {
      var sum = vec4f();
      for (var q = 0u; q < POINTS; q++) {
        let factor = coefficient(j, q);
        if (factor != 0) { sum += factor * half[i][q]; }
      }
      values[i][j] = sum;
    }
  }
  if (CHANNELS_LAST) {
    storeChannels(row, 4 * quad, values);
    return;
  }
  let channel = channelAt(FINISH, row);
  let perImage = params.tiles.x * params.tiles.y;
  for (var v = 0u; v < 4; v++) {
    let window = quad * 4 + v;
    if (window >= params.windows) { continue; }
    let tile = window % perImage;
    let corner = vec2u(tile / params.tiles.y, tile % params.tiles.y) * SIZE;
    let plane = ((window / perImage) * params.channels + row) * params.plane.x * params.plane.y;
    let missing = select(corner.y + SIZE - params.plane.y, 0, corner.y + SIZE <= params.plane.y);
    for (var i = 0u; i < SIZE; i++) {
      var line: array<f32, SIZE>;
      for (var j = 0u; j < SIZE; j++) { line[j] = values[i][j][v]; }
      if (corner.x + i < params.plane.x) { store(plane + (corner.x + i) * params.plane.y + corner.y, line, missing, channel); }
    }
  }
}
