// y[n, i] = -sum_c target[n, c, i] weight[c] log softmax(x[n, :, i])[c], the target being smoothed:
// (1 - smoothing) target + smoothing / C, where target is 1 at label[n, i], or with SOFT given. A label outside 0..C - 1 gives NaN,
// ignoreIndex 0.
// threads: LANES in a workgroup, one column (n, i) each: three walks along it, adding by levels with LONG, for more than 1,024
// classes.
// reference: Szegedy et al. (2016) for the smoothing; torch.nn.functional.cross_entropy.
// uses: lib/grid.wgsl, lib/longSum.wgsl
alias bits = u32;  // of any dtype
const SOFT: bool = false;
const WEIGHTED: bool = false;
const LONG: bool = false;
const LANES: u32 = 64;
struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  smoothing: f32,
  nan: u32,
  ignores: u32,      // 1 where columns labeled ignoreIndex have a loss of 0
  ignoreIndex: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // [outer, length, inner]
@group(0) @binding(2) var<storage, read> labels: array<bits>;   // [outer, inner]; negative ones are large here
@group(0) @binding(3) var<storage, read> targets: array<f32>;  // [outer, length, inner]
@group(0) @binding(4) var<storage, read> weight: array<f32>;   // [length]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;  // [outer, inner]

// Built-in functions may lose NaN, so its bits are tested.
fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

fn weightOf(c: u32) -> f32 {
  if (WEIGHTED) { return weight[c]; }
  return 1;
}

@compute @workgroup_size(LANES)
fn crossEntropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = linearGroup(group, groups) * LANES + lane;
  if (column >= params.outer * params.inner) { return; }
  let step = params.inner;
  let first = (column / step) * params.length * step + column % step;
  var largest = x[first];
  for (var c = 1u; c < params.length; c++) { largest = max(largest, x[first + c * step]); }
  var powers = LongSum();
  for (var c = 0u; c < params.length; c++) {
    let shifted = x[first + c * step] - largest;
    addTerm(&powers, select(exp(shifted), shifted, isNan(shifted)));
  }
  let sum = totalOf(powers);
  let logarithm = select(log(sum), sum, isNan(sum));
  let spread = params.smoothing / f32(params.length);
  var parts = LongSum();
  // Without a share in the loss a class may have a probability of 0, whose logarithm is infinite.
  if (SOFT || spread > 0) {
    for (var c = 0u; c < params.length; c++) {
      var part = spread;
      if (SOFT) { part += (1 - params.smoothing) * targets[first + c * step]; }
      addTerm(&parts, part * weightOf(c) * (logarithm - (x[first + c * step] - largest)));
    }
  }
  var loss = totalOf(parts);
  if (!SOFT) {
    let label = labels[column];
    if (label < params.length) {
      loss += (1 - params.smoothing) * weightOf(label) * (logarithm - (x[first + label * step] - largest));
    } else {
      loss = bitcast<f32>(params.nan);
    }
    if (params.ignores == 1 && label == params.ignoreIndex) { loss = 0; }
  }
  y[column] = loss;
}
