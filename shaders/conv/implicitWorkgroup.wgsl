// y[n, g, m, place] = bias[g, m] + sum over the taps and the channels c of weight[g, c, tap, m] * x[n, g, c, place * pace + start +
// (t, u) * reach], zero outside of x: a convolution or, for each class of places that meet the same taps, its transpose, as a
// product over patches that are never stored (implicit GEMM). Step (t, u) of the taps meets tap firstTap + (t, u) * tapStep of the
// window. For adapters with hardware workgroup memory.
// threads: a workgroup of 8 x 8 owns a tile of 64 channels m and 64 places (n, i, j), each thread four 4 x 4 blocks of it;
// DEPTH values of k = (t, u, c) at a time are in workgroup memory, double-buffered (lib/workgroupTile.wgsl).
// reference: Chetlur et al. (2014), cuDNN.
// uses: lib/grid.wgsl, lib/outerProduct.wgsl, lib/workgroupTile.wgsl
const BIAS: bool = false;
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const LANES: u32 = 64;
const_assert 2 * LANES == DEPTH * QUADS;        // each thread loads two vec4 of weights and two of x
struct Params {
  images: u32,
  groups: u32,
  rows: u32,             // channels of a group of y
  width: u32,            // rows, padded to a multiple of 4
  depth: u32,            // channels of a group of x
  window: vec2u,         // R, S
  input: vec2u,          // size of a plane of x
  places: vec2u,         // I, J
  result: vec2u,         // size of a plane of y, whose places are at place * resultPace + resultStart
  resultPace: vec2u,
  resultStart: vec2u,
  taps: vec2u,           // steps down and across
  firstTap: vec2u,
  tapStep: vec2u,
  pace: vec2u,
  start: vec2u,
  reach: vec2u,          // may be negative, as start: sums wrap, and positions outside of x are large numbers
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;        // [groups, depth, R, S, width]
@group(0) @binding(2) var<storage, read> x: array<f32>;               // [images, groups, depth, input]
@group(0) @binding(3) var<storage, read> bias: array<f32>;            // [groups, rows], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;         // [images, groups, rows, result]

fn placeOf(column: u32) -> vec2u {
  let place = column % (params.places.x * params.places.y);
  return vec2u(place / params.places.y, place % params.places.y);
}

fn store(group: u32, firstRow: u32, firstColumn: u32, sums: mat4x4f) {
  let columns = params.images * params.places.x * params.places.y;
  for (var j = 0u; j < 4; j++) {
    let column = firstColumn + j;
    if (column >= columns) { continue; }
    let image = column / (params.places.x * params.places.y);
    let place = placeOf(column) * params.resultPace + params.resultStart;
    for (var i = 0u; i < 4; i++) {
      if (firstRow + i >= params.rows) { continue; }
      let channel = group * params.rows + firstRow + i;
      var value = sums[i][j];
      if (BIAS) { value += bias[channel]; }
      y[((image * params.groups * params.rows + channel) * params.result.x + place.x) * params.result.y + place.y] = value;
    }
  }
}

@compute @workgroup_size(LANES)
fn implicitWorkgroup(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let columns = params.images * params.places.x * params.places.y;
  let across = (columns + COLUMNS - 1) / COLUMNS;
  let down = (params.rows + ROWS - 1) / ROWS;
  let id = linearGroup(workgroup, workgroups);
  let firstColumn = (id % across) * COLUMNS;
  let firstRow = ((id / across) % down) * ROWS;
  let group = id / (across * down);
  if (group >= params.groups) { return; }

  // This thread loads quad `quad` of k = `line` and `line + DEPTH / 2`; zeros past the end of K.
  let quad = lane % QUADS;
  let line = lane / QUADS;
  let rowQuad = min(firstRow / 4 + quad, params.width / 4 - 1);
  var planes: vec4u;
  var corners: array<vec2u, 4>;
  for (var j = 0u; j < 4; j++) {
    let column = min(firstColumn + 4 * quad + j, columns - 1);
    planes[j] = (column / (params.places.x * params.places.y) * params.groups + group) * params.depth * params.input.x;
    corners[j] = placeOf(column) * params.pace + params.start;
  }
  let up = lane / 8;             // this thread's quads of rows and of columns are these two and the two APART further
  let side = lane % 8;

  var upperLeft: mat4x4f;
  var upperRight: mat4x4f;
  var lowerLeft: mat4x4f;
  var lowerRight: mat4x4f;
  let terms = params.taps.x * params.taps.y * params.depth;
  let steps = (terms + DEPTH - 1) / DEPTH;
  for (var step = 0u; step <= steps; step++) {
    // This iteration stores to the half that the last one did not read, so one barrier per iteration is enough.
    if (step < steps) {
      for (var half = 0u; half < 2; half++) {
        let inTile = line + half * (DEPTH / 2);
        let k = step * DEPTH + inTile;
        let c = k % params.depth;
        let taps = vec2u(k / params.depth / params.taps.y, k / params.depth % params.taps.y);
        let tap = params.firstTap + taps * params.tapStep;
        let row = ((group * params.depth + c) * params.window.x + tap.x) * params.window.y + tap.y;
        var right: vec4f;
        for (var j = 0u; j < 4; j++) {
          let source = corners[j] + taps * params.reach;
          let inside = k < terms && source.x < params.input.x && source.y < params.input.y;
          let at = (planes[j] + c * params.input.x + source.x) * params.input.y + source.y;
          right[j] = select(0.0, x[select(0, at, inside)], inside);
        }
        aTile[step % 2][inTile * QUADS + quad] = select(vec4f(), weight[row * (params.width / 4) + rowQuad], k < terms);
        bTile[step % 2][inTile * QUADS + quad] = right;
      }
    }
    if (step > 0) {
      let half = (step + 1) % 2;
      for (var k = 0u; k < DEPTH; k++) {
        let upper = aTile[half][k * QUADS + up];
        let lower = aTile[half][k * QUADS + up + APART];
        let left = bTile[half][k * QUADS + side];
        let right = bTile[half][k * QUADS + side + APART];
        upperLeft += outerProduct(upper, left);
        upperRight += outerProduct(upper, right);
        lowerLeft += outerProduct(lower, left);
        lowerRight += outerProduct(lower, right);
      }
    }
    workgroupBarrier();
  }
  let row = firstRow + 4 * up;
  let column = firstColumn + 4 * side;
  store(group, row, column, upperLeft);
  store(group, row, column + 4 * APART, upperRight);
  store(group, row + 4 * APART, column, lowerLeft);
  store(group, row + 4 * APART, column + 4 * APART, lowerRight);
}
