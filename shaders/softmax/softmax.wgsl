// y[o, k, i] = exp(x[o, k, i] - m) / sum_j exp(x[o, j, i] - m), m the largest of column (o, i); with LOGARITHM its log.
// threads: LANES in a workgroup, one column each: three walks along it.
// uses: lib/grid.wgsl
const LOGARITHM: bool = false;
const LANES: u32 = 64;
const BLOCK: u32 = 512;  // powers per block: blocks are summed separately, so that no chain of additions is long
struct Params { outer: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // [outer, length, inner]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [outer, length, inner]

// Built-in functions may lose NaN, so its bits are tested.
fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

@compute @workgroup_size(LANES)
fn softmax(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = linearGroup(group, groups) * LANES + lane;
  if (column >= params.outer * params.inner) { return; }
  let step = params.inner;
  let first = (column / step) * params.length * step + column % step;
  let end = first + params.length * step;
  var largest = x[first];
  for (var at = first; at < end; at += step) { largest = max(largest, x[at]); }
  var sum = 0.0;
  var next = first;
  for (var outer = 0u; outer < params.length; outer += BLOCK * BLOCK) {
    var ofBlocks = 0.0;
    for (var block = outer; block < min(outer + BLOCK * BLOCK, params.length); block += BLOCK) {
      var powers = 0.0;
      for (var k = block; k < min(block + BLOCK, params.length); k++) {
        let shifted = x[next] - largest;
        powers += select(exp(shifted), shifted, isNan(shifted));
        next += step;
      }
      ofBlocks += powers;
    }
    sum += ofBlocks;
  }
  let logarithm = select(log(sum), sum, isNan(sum));
  for (var at = first; at < end; at += step) {
    let shifted = x[at] - largest;
    if (LOGARITHM) { y[at] = shifted - logarithm; } else { y[at] = exp(shifted) / sum; }
  }
}
