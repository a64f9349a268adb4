// y[r, c] = (x[r, c] - mean_r) / sqrt(variance_r + eps) * weight[c] + bias[c], with mean and biased variance of row r. Without
// CENTERED the mean is taken as 0, and the variance is the mean square. moments[r] = (mean_r, 1 / sqrt(variance_r + eps)).
// threads: one workgroup per row; lane l takes columns l, l + LANES, ...: three walks along the row.
// reference: Ba, Kiros and Hinton (2016); without the mean Zhang and Sennrich (2019); variances by Chan, Golub and LeVeque (1983).
// uses: lib/grid.wgsl, lib/longSum.wgsl
const CENTERED: bool = true;
const LONG: bool = false;  // whether a lane adds many columns
const LANES: u32 = 64;
const_assert countOneBits(LANES) == 1;
struct Params { rows: u32, columns: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                // [rows, columns]
@group(0) @binding(2) var<storage, read> weight: array<f32>;           // [columns]
@group(0) @binding(3) var<storage, read> bias: array<f32>;             // [columns]
@group(0) @binding(4) var<storage, read_write> moments: array<vec2f>;  // [rows] of (mean, inverse deviation)
@group(0) @binding(5) var<storage, read_write> y: array<f32>;          // [rows, columns]
var<workgroup> partial: array<vec2f, LANES>;

fn sumOfLanes(lane: u32, term: vec2f) -> vec2f {
  partial[lane] = term;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  workgroupBarrier();
  let sum = partial[0];
  workgroupBarrier();  // the next sum writes there
  return sum;
}

// Built-in functions may lose NaN, so its bits are tested.
fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

@compute @workgroup_size(LANES)
fn layerNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = linearGroup(group, groups);
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let last = first + params.columns;
  let count = f32(params.columns);
  var mean = 0.0;
  if (CENTERED) {
    // Far from zero, the distances from one of the values have more digits than the values.
    let base = x[first];
    var distances = LongSum();
    for (var i = first + lane; i < last; i += LANES) { addTerm(&distances, x[i] - base); }
    mean = base + sumOfLanes(lane, vec2f(totalOf(distances), 0)).x / count;
  }
  var deviations = LongSum();
  var squares = LongSum();
  for (var i = first + lane; i < last; i += LANES) {
    let deviation = x[i] - mean;
    if (CENTERED) { addTerm(&deviations, deviation); }
    addTerm(&squares, deviation * deviation);
  }
  let sums = sumOfLanes(lane, vec2f(totalOf(deviations), totalOf(squares)));
  // A mean that is off by e adds e * e to each square. Rounding may leave the variance of equal values slightly below 0.
  let difference = (sums.y - sums.x * sums.x / count) / count;
  let variance = select(max(difference, 0), difference, isNan(difference));
  let inverse = select(inverseSqrt(variance + params.eps), variance, isNan(variance));
  for (var i = first + lane; i < last; i += LANES) {
    let column = i - first;
    y[i] = (x[i] - mean) * inverse * weight[column] + bias[column];
  }
  if (lane == 0) { moments[row] = vec2f(mean, inverse); }
}
