// y[c] = a[c . aStrides] OP b[c . bStrides] for every coordinate c of y; a stretched dimension has stride 0.
// threads: LANES in a group, a vec4 of y each.
// uses: lib/grid.wgsl, lib/binaryOperations.wgsl
alias element = f32;
alias result = f32;
const OP: u32 = ADD;
const LANES: u32 = 64;
struct Params {
  size: u32,
  rank: u32,
  shape: array<vec4u, 2>,
  aStrides: array<vec4u, 2>,
  bStrides: array<vec4u, 2>,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<element>;
@group(0) @binding(2) var<storage, read> b: array<element>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<result>>;

@compute @workgroup_size(LANES)
fn binaryBroadcast(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let vector = linearGroup(group, groups) * LANES + lane;
  if (vector * 4 >= params.size) { return; }
  var left: vec4<element>;
  var right: vec4<element>;
  for (var component = 0u; component < 4; component++) {
    var rest = min(vector * 4 + component, params.size - 1);
    var aAt = 0u;
    var bAt = 0u;
    for (var d = params.rank; d > 0; d--) {
      let dim = d - 1;
      let size = params.shape[dim / 4][dim % 4];
      let coordinate = rest % size;
      rest /= size;
      aAt += coordinate * params.aStrides[dim / 4][dim % 4];
      bAt += coordinate * params.bStrides[dim / 4][dim % 4];
    }
    left[component] = a[aAt];
    right[component] = b[bAt];
  }
  y[vector] = binaryOperation(left, right);
}
