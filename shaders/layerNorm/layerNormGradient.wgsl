// dx[r, c] = inverse_r * (g - mean_r(g) - normal * mean_r(g * normal)), where g = dy[r, c] * weight[c] and normal is the
// normalized x[r, c]. Without CENTERED the mean of g is left out.
// threads: one workgroup per row; lane l takes columns l, l + LANES, ...: two walks along the row.
// reference: Ba, Kiros and Hinton (2016).
// uses: lib/grid.wgsl, lib/longSum.wgsl
const CENTERED: bool = true;
const LONG: bool = false;  // whether a lane adds many columns
const LANES: u32 = 64;
const_assert countOneBits(LANES) == 1;
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;         // [rows, columns]
@group(0) @binding(3) var<storage, read> weight: array<f32>;     // [columns]
@group(0) @binding(4) var<storage, read> moments: array<vec2f>;  // [rows] of (mean, inverse deviation)
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;   // [rows, columns]
var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn layerNormGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = linearGroup(group, groups);
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let last = first + params.columns;
  let count = f32(params.columns);
  let moment = moments[row];
  var slopes = LongSum();
  var products = LongSum();
  for (var i = first + lane; i < last; i += LANES) {
    let slope = dy[i] * weight[i - first];
    if (CENTERED) { addTerm(&slopes, slope); }
    addTerm(&products, slope * ((x[i] - moment.x) * moment.y));
  }
  partial[lane] = vec2f(totalOf(slopes), totalOf(products));
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  workgroupBarrier();
  let means = partial[0] / count;
  for (var i = first + lane; i < last; i += LANES) {
    let normal = (x[i] - moment.x) * moment.y;
    dx[i] = moment.y * (dy[i] * weight[i - first] - means.x - normal * means.y);
  }
}
