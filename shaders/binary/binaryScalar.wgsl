// y[i] = a[i] OP scalar, or scalar OP a[i] where REVERSED.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl, lib/binaryOperations.wgsl, lib/arctangent.wgsl
alias element = f32;
alias result = f32;
const FLOAT: bool = true;  // whether element is f32
const OP: u32 = ADD;
const REVERSED: bool = false;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32, scalarBits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<element>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<result>>;

@compute @workgroup_size(LANES)
fn binaryScalar(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let scalar = vec4<element>(bitcast<element>(params.scalarBits));
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    if (REVERSED) { y[i] = binaryOperation(scalar, a[i]); } else { y[i] = binaryOperation(a[i], scalar); }
  }
}
