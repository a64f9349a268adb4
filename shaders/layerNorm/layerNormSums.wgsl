// sums[p, 0, c] = sum of dy * normal and sums[p, 1, c] = sum of dy over part p of the rows, where normal is the normalized x:
// summed over the parts, the gradients by weight and bias.
// threads: LANES in a workgroup, one column of a part each; neighbors read neighboring columns.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params { rows: u32, columns: u32, parts: u32, chunk: u32, firstPart: u32 }  // chunk: rows of a part
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;          // [rows, columns]
@group(0) @binding(3) var<storage, read> moments: array<vec2f>;   // [rows] of (mean, inverse deviation)
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;  // [all parts, 2, columns]

@compute @workgroup_size(LANES)
fn layerNormSums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.parts * params.columns) { return; }
  let column = id % params.columns;
  let part = id / params.columns;
  let first = part * params.chunk;
  var weightSlope = 0.0;
  var biasSlope = 0.0;
  for (var row = first; row < min(first + params.chunk, params.rows); row++) {
    let i = row * params.columns + column;
    weightSlope += dy[i] * ((x[i] - moments[row].x) * moments[row].y);
    biasSlope += dy[i];
  }
  let at = (params.firstPart + part) * 2 * params.columns + column;
  sums[at] = weightSlope;
  sums[at + params.columns] = biasSlope;
}
