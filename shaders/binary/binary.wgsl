// y[i] = a[i] OP b[i], for tensors of one shape.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl, lib/binaryOperations.wgsl, lib/arctangent.wgsl
alias element = f32;
alias result = f32;
const FLOAT: bool = true;  // whether element is f32
const OP: u32 = ADD;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<element>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<element>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<result>>;

@compute @workgroup_size(LANES)
fn binary(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i < params.vectors) { y[i] = binaryOperation(a[i], b[i]); }
  }
}
