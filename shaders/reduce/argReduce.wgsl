// y[o, i] = the first r at which x[o, r, i] is largest (LARGEST) or smallest; NaN wins over every number, as in PyTorch.
// threads: LANES in a workgroup, one value of y each.
// uses: lib/grid.wgsl
alias element = f32;
const FLOAT: bool = true;
const LARGEST: bool = true;
const LANES: u32 = 64;
struct Params { outer: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<element>;    // [outer, length, inner]
@group(0) @binding(2) var<storage, read_write> y: array<i32>;  // [outer, inner]

// Compilers may remove v != v, so the bits are tested. Integers have no NaN.
fn isNan(v: element) -> bool {
  return FLOAT && (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

@compute @workgroup_size(LANES)
fn argReduce(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.outer * params.inner) { return; }
  let base = (id / params.inner) * params.length * params.inner + id % params.inner;
  var found = 0u;
  var best = x[base];
  for (var r = 1u; r < params.length; r++) {
    let value = x[base + r * params.inner];
    let better = select((value < best), (value > best), LARGEST) || isNan(value);
    if (better && !isNan(best)) {
      best = value;
      found = r;
    }
  }
  y[id] = i32(found);
}
