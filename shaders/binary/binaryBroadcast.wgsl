// y[c] = a[c . aStrides] OP b[c . bStrides] for every coordinate c of y; a stretched dimension has stride 0.
// threads: LANES in a workgroup, a vec4 of y each.
// uses: lib/grid.wgsl, lib/binaryOperations.wgsl, lib/arctangent.wgsl
alias element = f32;
alias result = f32;
const FLOAT: bool = true;  // whether element is f32
const OP: u32 = ADD;
const WHOLE_ROWS: bool = false;  // the innermost size is a multiple of 4: a vec4 is in one row
const LANES: u32 = 256;
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
  if (WHOLE_ROWS) {
    let start = offsets(vector * 4);
    let inner = params.rank - 1;
    let aStep = params.aStrides[inner / 4][inner % 4];
    let bStep = params.bStrides[inner / 4][inner % 4];
    for (var component = 0u; component < 4; component++) {
      left[component] = a[start.x + component * aStep];
      right[component] = b[start.y + component * bStep];
    }
  } else {
    for (var component = 0u; component < 4; component++) {
      let at = offsets(min(vector * 4 + component, params.size - 1));
      left[component] = a[at.x];
      right[component] = b[at.y];
    }
  }
  y[vector] = binaryOperation(left, right);
}

// The offsets of the operands of element i of y.
fn offsets(i: u32) -> vec2u {
  var rest = i;
  var at = vec2u();
  for (var d = params.rank; d > 0; d--) {
    let dim = d - 1;
    let size = params.shape[dim / 4][dim % 4];
    let coordinate = rest % size;
    rest /= size;
    at += coordinate * vec2u(params.aStrides[dim / 4][dim % 4], params.bStrides[dim / 4][dim % 4]);
  }
  return at;
}
