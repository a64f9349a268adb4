// dw[t, g, k, c, r, s] = sum over the output pixels (n, p, q) of part t of dy[n, g, k, p, q] * x[n, g, c, p * stride + r * dilation
// - padding, q * stride + s * dilation - padding], zero outside of x: a product over patches that are never stored (implicit GEMM).
// For adapters with hardware workgroup memory.
// threads: a workgroup of 8 x 8 owns a tile of 64 channels k and 64 taps (c, r, s) of a part, each thread four 4 x 4 blocks
// of it; DEPTH pixels at a time are in workgroup memory, double-buffered (lib/workgroupTile.wgsl). A second pass adds the parts.
// reference: Chetlur et al. (2014), cuDNN.
// uses: lib/grid.wgsl, lib/outerProduct.wgsl, lib/workgroupTile.wgsl
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const LANES: u32 = 64;
const_assert 2 * LANES == DEPTH * QUADS;        // each thread loads two vec4 of dy and two of x
struct Params {
  groups: u32,
  rows: u32,           // channels of a group of dy
  depth: u32,          // channels of a group of x
  pixels: u32,         // images * P * Q
  parts: u32,
  chunk: u32,          // pixels of a part
  input: vec2u,        // H, W
  output: vec2u,       // P, Q
  window: vec2u,       // R, S
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;              // [images, groups, rows, P, Q]
@group(0) @binding(2) var<storage, read> x: array<f32>;               // [images, groups, depth, H, W]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;        // [parts, groups, rows, depth, R, S]

fn store(matrix: u32, firstRow: u32, firstColumn: u32, sums: mat4x4f) {
  let columns = params.depth * params.window.x * params.window.y;
  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < 4; j++) {
      let row = firstRow + i;
      let column = firstColumn + j;
      if (row >= params.rows || column >= columns) { continue; }
      dw[(matrix * params.rows + row) * columns + column] = sums[i][j];
    }
  }
}

@compute @workgroup_size(LANES)
fn weightGradientWorkgroup(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let window = params.window.x * params.window.y;
  let columns = params.depth * window;
  let across = (columns + COLUMNS - 1) / COLUMNS;
  let down = (params.rows + ROWS - 1) / ROWS;
  let id = linearGroup(workgroup, workgroups);
  let firstColumn = (id % across) * COLUMNS;
  let firstRow = ((id / across) % down) * ROWS;
  let group = (id / (across * down)) % params.groups;
  let part = id / (across * down * params.groups);
  if (part >= params.parts) { return; }

  // This thread loads quad `quad` of pixels `line` and `line + DEPTH / 2`; zeros past the end of the part. Rows and
  // columns past the end repeat the last ones and are not stored.
  let quad = lane % QUADS;
  let line = lane / QUADS;
  let area = params.output.x * params.output.y;
  var channels: vec4u;
  var shifts: array<vec2u, 4>;   // in the padding positions wrap to large numbers
  for (var j = 0u; j < 4; j++) {
    let column = min(firstColumn + 4 * quad + j, columns - 1);
    let tap = column % window;
    channels[j] = column / window;
    shifts[j] = vec2u(tap / params.window.y, tap % params.window.y) * params.dilation - params.padding;
  }
  let up = lane / 8;             // this thread's quads of rows and of columns are these two and the two APART further
  let side = lane % 8;

  var upperLeft: mat4x4f;
  var upperRight: mat4x4f;
  var lowerLeft: mat4x4f;
  var lowerRight: mat4x4f;
  let first = part * params.chunk;
  let end = min(first + params.chunk, params.pixels);
  let steps = (end - first + DEPTH - 1) / DEPTH;
  for (var step = 0u; step <= steps; step++) {
    // This iteration stores to the half that the last one did not read, so one barrier per iteration is enough.
    if (step < steps) {
      for (var half = 0u; half < 2; half++) {
        let inTile = line + half * (DEPTH / 2);
        let pixel = first + step * DEPTH + inTile;
        let plane = pixel / area * params.groups + group;
        let place = pixel % area;
        let corner = vec2u(place / params.output.y, place % params.output.y) * params.stride;
        var left: vec4f;
        var right: vec4f;
        for (var j = 0u; j < 4; j++) {
          let row = min(firstRow + 4 * quad + j, params.rows - 1);
          left[j] = select(0.0, dy[select(0, (plane * params.rows + row) * area + place, pixel < end)], pixel < end);
          let source = corner + shifts[j];
          let inside = pixel < end && source.x < params.input.x && source.y < params.input.y;
          let at = ((plane * params.depth + channels[j]) * params.input.x + source.x) * params.input.y + source.y;
          right[j] = select(0.0, x[select(0, at, inside)], inside);
        }
        aTile[step % 2][inTile * QUADS + quad] = left;
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
  let matrix = part * params.groups + group;
  let row = firstRow + 4 * up;
  let column = firstColumn + 4 * side;
  store(matrix, row, column, upperLeft);
  store(matrix, row, column + 4 * APART, upperRight);
  store(matrix, row + 4 * APART, column, lowerLeft);
  store(matrix, row + 4 * APART, column + 4 * APART, lowerRight);
}
