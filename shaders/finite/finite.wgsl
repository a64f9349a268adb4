// y[i] = whether x[i] is NaN, infinite or finite, or x[i] with numbers in place of those that are not finite. Only bits are compared:
// compilers may assume that all numbers are finite.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// uses: lib/grid.wgsl
alias bits = u32;
const IS_NAN: u32 = 0;
const IS_INF: u32 = 1;
const IS_FINITE: u32 = 2;
const REPLACE: u32 = 3;
const OP: u32 = IS_NAN;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
const INFINITY_BITS: u32 = 0x7f800000;
struct Params { vectors: u32, nan: u32, positive: u32, negative: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<bits>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<bits>>;

@compute @workgroup_size(LANES)
fn finite(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let value = x[i];
    let size = value & vec4u(0x7fffffff);
    let infinity = vec4u(INFINITY_BITS);
    switch OP {
      case IS_NAN: { y[i] = vec4u(size > infinity); }
      case IS_INF: { y[i] = vec4u(size == infinity); }
      case IS_FINITE: { y[i] = vec4u(size < infinity); }
      default: {
        let unlimited = select(vec4u(params.positive), vec4u(params.negative), value > infinity);
        let number = select(unlimited, vec4u(params.nan), size > infinity);
        y[i] = select(number, value, size < infinity);
      }
    }
  }
}
