enable subgroups;
// dw[t, g, k, c, r, s] = sum over the lines (n, p) of part t and all q of dy[n, g, p, q, k] * x[n, g, p * stride + r * dilation -
// padding, q * stride + s * dilation - padding, c]: a product over patches that are never stored (implicit GEMM). Both operands
// have their channels last, so that every number of a loaded vec4 is used; the columns of the product are (r, s, c).
// threads: a workgroup is one subgroup and owns a tile of 4 SUBGROUP ROW_QUADS channels k and 4 SUBGROUP COLUMN_QUADS columns of a
// part, as in matmul/gemmSubgroup.wgsl; the parts are added up by a second pass.
// reference: Chetlur et al. (2014), cuDNN.
// uses: lib/grid.wgsl
const ROW_QUADS: u32 = 2;
const COLUMN_QUADS: u32 = 2;
const SUBGROUP: u32 = 8;
struct Params {
  groups: u32,
  rows: u32,           // channels of a group of dy
  rowQuads: u32,       // vec4 that hold them
  depth: u32,          // channels of a group of x
  quads: u32,          // vec4 that hold them
  lines: u32,          // images * P
  parts: u32,
  chunk: u32,          // lines of a part
  input: vec2u,        // H, W
  output: vec2u,       // P, Q
  window: vec2u,       // R, S
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;            // [images, groups, P, Q, 4 rowQuads]
@group(0) @binding(2) var<storage, read> x: array<vec4f>;             // [images, groups, H, W, 4 quads]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;        // [parts, groups, rows, depth, R, S]

@compute @workgroup_size(SUBGROUP)
fn weightGradientSubgroup(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let taps = params.window.x * params.window.y;
  let across = (taps * params.quads + SUBGROUP * COLUMN_QUADS - 1) / (SUBGROUP * COLUMN_QUADS);
  let down = (params.rowQuads + SUBGROUP * ROW_QUADS - 1) / (SUBGROUP * ROW_QUADS);
  let id = linearGroup(workgroup, workgroups);
  let firstColumn = (id % across) * SUBGROUP * COLUMN_QUADS;
  let firstRow = ((id / across) % down) * SUBGROUP * ROW_QUADS;
  let group = (id / (across * down)) % params.groups;
  let part = id / (across * down * params.groups);
  if (part >= params.parts) { return; }
  // Rows past the end repeat the last ones; columns past it read any pixel of x. Neither is stored.
  var rows: array<u32, ROW_QUADS>;
  for (var q = 0u; q < ROW_QUADS; q++) { rows[q] = min(firstRow + q * SUBGROUP + lane, params.rowQuads - 1); }
  var channels: array<u32, COLUMN_QUADS>;
  var shifts: array<vec2u, COLUMN_QUADS>;  // in the padding positions wrap to large numbers
  for (var q = 0u; q < COLUMN_QUADS; q++) {
    let column = firstColumn + q * SUBGROUP + lane;
    let tap = column / params.quads;
    channels[q] = column % params.quads;
    shifts[q] = vec2u(tap / params.window.y, tap % params.window.y) * params.dilation - params.padding;
  }

  var sums: array<array<array<array<vec4f, COLUMN_QUADS>, 4>, SUBGROUP>, ROW_QUADS>;
  // One loop over lines and pixels: two nested loops would copy all sums between them.
  let firstLine = part * params.chunk;
  var image = firstLine / params.output.x;
  var pixel = vec2u(firstLine % params.output.x, 0);
  for (var k = (min(firstLine + params.chunk, params.lines) - firstLine) * params.output.y; k > 0; k--) {
    let plane = image * params.groups + group;
    let slopes = ((plane * params.output.x + pixel.x) * params.output.y + pixel.y) * params.rowQuads;
    var left: array<vec4f, ROW_QUADS>;
    var right: array<vec4f, COLUMN_QUADS>;
    for (var q = 0u; q < ROW_QUADS; q++) { left[q] = dy[slopes + rows[q]]; }
    for (var q = 0u; q < COLUMN_QUADS; q++) {
      let source = pixel * params.stride + shifts[q];
      let inside = source.x < params.input.x && source.y < params.input.y;
      let at = ((plane * params.input.x + source.x) * params.input.y + source.y) * params.quads + channels[q];
      right[q] = select(vec4f(), x[select(0, at, inside)], inside);
    }
    for (var q = 0u; q < ROW_QUADS; q++) {
      for (var s = 0u; s < SUBGROUP; s++) {
        let factors = subgroupShuffle(left[q], s);
        for (var i = 0u; i < 4; i++) {
          for (var j = 0u; j < COLUMN_QUADS; j++) { sums[q][s][i][j] += factors[i] * right[j]; }
        }
      }
    }
    pixel.y += 1;
    let lineEnds = pixel.y == params.output.y;
    pixel = select(pixel, vec2u(pixel.x + 1, 0), lineEnds);
    let imageEnds = pixel.x == params.output.x;
    pixel.x = select(pixel.x, 0, imageEnds);
    image += u32(imageEnds);
  }
  for (var q = 0u; q < ROW_QUADS; q++) {
    for (var s = 0u; s < SUBGROUP; s++) {
      for (var i = 0u; i < 4; i++) {
        let row = 4 * (firstRow + q * SUBGROUP + s) + i;
        for (var j = 0u; j < COLUMN_QUADS; j++) {
          let column = firstColumn + j * SUBGROUP + lane;
          let tap = column / params.quads;
          let channel = 4 * (column % params.quads);
          if (row >= params.rows || tap >= taps) { continue; }
          let at = ((part * params.groups + group) * params.rows + row) * params.depth;
          for (var c = 0u; c < min(4, params.depth - channel); c++) { dw[(at + channel + c) * taps + tap] = sums[q][s][i][j][c]; }
        }
      }
    }
  }
}
