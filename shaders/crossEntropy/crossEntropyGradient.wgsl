// dx[n, k, i] = dy[n, i] (softmax(x[n, :, i])[k] sum_c target[c] weight[c] - target[k] weight[k]), targets as in
// crossEntropy.wgsl.
// threads: LANES in a workgroup, one column (n, i) each: three walks along it, adding by levels with LONG, for more than 1,024
// classes.
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
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [outer, inner]
@group(0) @binding(2) var<storage, read> x: array<f32>;         // [outer, length, inner]
@group(0) @binding(3) var<storage, read> labels: array<bits>;    // [outer, inner]; negative ones are large here
@group(0) @binding(4) var<storage, read> targets: array<f32>;   // [outer, length, inner]
@group(0) @binding(5) var<storage, read> weight: array<f32>;    // [length]
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;  // [outer, length, inner]

// Built-in functions may lose NaN, so its bits are tested.
fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

// The smoothed target of class c, stored at `at`, times its weight.
fn share(c: u32, at: u32, label: u32) -> f32 {
  var part = select(0.0, 1.0, c == label);
  if (SOFT) { part = targets[at]; }
  part = (1 - params.smoothing) * part + params.smoothing / f32(params.length);
  if (WEIGHTED) { part *= weight[c]; }
  return part;
}

@compute @workgroup_size(LANES)
fn crossEntropyGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = linearGroup(group, groups) * LANES + lane;
  if (column >= params.outer * params.inner) { return; }
  let step = params.inner;
  let first = (column / step) * params.length * step + column % step;
  var label = 0u;
  if (!SOFT) { label = labels[column]; }
  var largest = x[first];
  for (var c = 1u; c < params.length; c++) { largest = max(largest, x[first + c * step]); }
  var powers = LongSum();
  var shares = LongSum();
  for (var c = 0u; c < params.length; c++) {
    let at = first + c * step;
    let shifted = x[at] - largest;
    addTerm(&powers, select(exp(shifted), shifted, isNan(shifted)));
    addTerm(&shares, share(c, at, label));
  }
  let sum = totalOf(powers);
  let total = totalOf(shares);
  let ignored = !SOFT && params.ignores == 1 && label == params.ignoreIndex;
  let slope = select(bitcast<f32>(params.nan), dy[column], label < params.length);
  for (var c = 0u; c < params.length; c++) {
    let at = first + c * step;
    dx[at] = select(slope * (exp(x[at] - largest) / sum * total - share(c, at, label)), 0, ignored);
  }
}
