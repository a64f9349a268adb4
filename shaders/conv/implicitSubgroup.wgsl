enable subgroups;
// y[n, g, m, place] = bias[g, m] + sum over the taps and the channels c of weight[g, c, tap, m] * lowered[g, c, u, i * pace +
// start + t * reach, (n, j)] for the place (i, j): a convolution or, for each class of places that meet the same taps, its
// transpose. Step (t, u) of the taps meets tap firstTap + (t, u) * tapStep of the window; columns are places (i, n, j), so that
// every number of a loaded vec4 is used.
// threads: a workgroup is one subgroup and owns a tile of 4 SUBGROUP ROW_QUADS rows m and 4 SUBGROUP COLUMN_QUADS columns, as in
// matmul/gemmSubgroup.wgsl.
// reference: Cho and Brand (2017), MEC.
// uses: lib/grid.wgsl
const BIAS: bool = false;
const ALIGNED: bool = false;      // rows of y are multiples of 4 with adjacent places: they are stored as vec4
const ROW_QUADS: u32 = 2;
const COLUMN_QUADS: u32 = 2;
const SUBGROUP: u32 = 8;
struct Params {
  images: u32,
  groups: u32,
  rows: u32,             // channels of a group of y
  width: u32,            // rows, padded to a multiple of 4
  depth: u32,            // channels of a group of x
  window: vec2u,         // R, S
  lines: u32,            // of a channel and step of `lowered`
  columns: u32,          // of a line
  places: vec2u,         // I, J
  result: vec2u,         // size of a plane of y, whose places are at place * resultPace + resultStart
  resultPace: vec2u,
  resultStart: vec2u,
  taps: vec2u,           // steps down and across
  firstTap: vec2u,
  tapStep: vec2u,
  pace: u32,
  start: u32,
  reach: u32,            // may be negative: sums wrap
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;        // [groups, depth, R, S, width]
@group(0) @binding(2) var<storage, read> lowered: array<vec4f>;       // [groups, depth, taps.y, lines, columns]
@group(0) @binding(3) var<storage, read> bias: array<f32>;            // [groups, rows], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;         // [images, groups, rows, result]
@group(0) @binding(5) var<storage, read_write> yQuads: array<vec4f>;  // instead of y, with ALIGNED

fn store(group: u32, row: u32, firstColumn: u32, sums: vec4f) {
  let i = firstColumn / params.columns;
  if (row >= params.rows || i >= params.places.x) { return; }
  var values = sums;
  if (BIAS) { values += bias[group * params.rows + row]; }
  let line = i * params.resultPace.x + params.resultStart.x;
  for (var k = 0u; k < 4; k++) {
    let column = firstColumn % params.columns + k;
    let image = column / params.places.y;
    if (image >= params.images) { return; }
    let place = (column % params.places.y) * params.resultPace.y + params.resultStart.y;
    let plane = (image * params.groups + group) * params.rows + row;
    let at = (plane * params.result.x + line) * params.result.y + place;
    if (ALIGNED) {
      yQuads[at / 4] = values;
      return;
    }
    y[at] = values[k];
  }
}

@compute @workgroup_size(SUBGROUP)
fn implicitSubgroup(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let columns = params.places.x * params.columns;
  let across = (columns / 4 + SUBGROUP * COLUMN_QUADS - 1) / (SUBGROUP * COLUMN_QUADS);
  let down = (params.width / 4 + SUBGROUP * ROW_QUADS - 1) / (SUBGROUP * ROW_QUADS);
  let id = linearGroup(workgroup, workgroups);
  let firstColumn = (id % across) * 4 * SUBGROUP * COLUMN_QUADS;
  let firstRow = ((id / across) % down) * 4 * SUBGROUP * ROW_QUADS;
  let group = id / (across * down);
  if (group >= params.groups) { return; }
  // Rows and columns past the end repeat the last ones and are not stored.
  var aFirst: array<u32, ROW_QUADS>;
  var bFirst: array<u32, COLUMN_QUADS>;
  for (var q = 0u; q < ROW_QUADS; q++) {
    aFirst[q] = min(firstRow / 4 + q * SUBGROUP + lane, params.width / 4 - 1);
  }
  for (var q = 0u; q < COLUMN_QUADS; q++) {
    let column = min(firstColumn + 4 * (q * SUBGROUP + lane), columns - 4);
    bFirst[q] = ((column / params.columns) * params.pace * params.columns + column % params.columns) / 4;
  }
  let aStep = params.window.x * params.window.y * (params.width / 4);
  let bStep = params.taps.y * params.lines * (params.columns / 4);
  let channels = group * params.depth;

  var sums: array<array<array<array<vec4f, COLUMN_QUADS>, 4>, SUBGROUP>, ROW_QUADS>;
  // One loop over taps and channels: two nested loops would copy all sums between them.
  var step = vec2u();
  var c = 0u;
  for (var k = params.taps.x * params.taps.y * params.depth; k > 0; k--) {
    let tap = params.firstTap + step * params.tapStep;
    let aAt = (channels + c) * aStep + (tap.x * params.window.y + tap.y) * (params.width / 4);
    let bAt = (channels + c) * bStep + (step.y * params.lines + params.start + step.x * params.reach) * (params.columns / 4);
    var left: array<vec4f, ROW_QUADS>;
    var right: array<vec4f, COLUMN_QUADS>;
    for (var q = 0u; q < ROW_QUADS; q++) { left[q] = weight[aAt + aFirst[q]]; }
    for (var q = 0u; q < COLUMN_QUADS; q++) { right[q] = lowered[bAt + bFirst[q]]; }
    for (var q = 0u; q < ROW_QUADS; q++) {
      for (var s = 0u; s < SUBGROUP; s++) {
        let factors = subgroupShuffle(left[q], s);
        for (var i = 0u; i < 4; i++) {
          for (var j = 0u; j < COLUMN_QUADS; j++) { sums[q][s][i][j] += factors[i] * right[j]; }
        }
      }
    }
    c += 1;
    let next = c == params.depth;
    c = select(c, 0, next);
    step.y += u32(next);
    let wrapped = step.y == params.taps.y;
    step = select(step, vec2u(step.x + 1, 0), wrapped);
  }
  for (var q = 0u; q < ROW_QUADS; q++) {
    for (var s = 0u; s < SUBGROUP; s++) {
      for (var i = 0u; i < 4; i++) {
        let row = firstRow + 4 * (q * SUBGROUP + s) + i;
        for (var j = 0u; j < COLUMN_QUADS; j++) {
          store(group, row, firstColumn + 4 * (j * SUBGROUP + lane), sums[q][s][i][j]);
        }
      }
    }
  }
}
