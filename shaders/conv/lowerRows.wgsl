// lowered[c, u, h, m] = x[n, c, h - top, j * pace + start + u * reach] for column m = (n, j), zero outside of x and past the last
// column: the values of x that each step u along its rows reads, so that the steps down are whole rows apart.
// threads: LANES in a workgroup; each does four neighboring columns of one row, all steps.
// reference: Cho and Brand (2017), MEC.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params {
  images: u32,
  channels: u32,
  input: vec2u,      // H, W
  top: u32,          // rows of zeros above x
  rows: u32,         // with those above and below
  steps: u32,
  places: u32,       // J
  columns: u32,      // images * J, padded to a multiple of 4
  pace: u32,
  start: u32,        // these may be negative: positions outside of x wrap to large numbers
  reach: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // [images, channels, H, W]
@group(0) @binding(2) var<storage, read_write> lowered: array<vec4f>;   // [channels, steps, rows, columns]

@compute @workgroup_size(LANES)
fn lowerRows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let quads = params.columns / 4;
  if (id >= params.channels * params.rows * quads) { return; }
  let row = (id / quads) % params.rows;
  let channel = id / (quads * params.rows);
  let h = row - params.top;
  var first: vec4u;    // of the row of x
  var corner: vec4u;   // in it
  var there: vec4<bool>;
  for (var i = 0u; i < 4; i++) {
    let column = 4 * (id % quads) + i;
    let image = column / params.places;
    there[i] = h < params.input.x && image < params.images;
    first[i] = select(0, ((image * params.channels + channel) * params.input.x + h) * params.input.y, there[i]);
    corner[i] = (column % params.places) * params.pace + params.start;
  }
  for (var u = 0u; u < params.steps; u++) {
    let w = corner + u * params.reach;
    let inside = there & (w < vec4u(params.input.y));
    let at = first + select(vec4u(), w, inside);
    lowered[((channel * params.steps + u) * params.rows + row) * quads + id % quads] =
      select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
  }
}
