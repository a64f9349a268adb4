// partials[first + g] = sum of x[i]^2 over the LANES * VECTORS vec4 of group g.
// threads: LANES in a group; each adds VECTORS vec4 that lie LANES apart, then halves of the lanes add pairwise.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 32;
const_assert (LANES & (LANES - 1)) == 0;  // halved down to one
struct Params { size: u32, first: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn sumSquares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let part = linearGroup(group, groups);
  var sum = vec4f();
  for (var v = 0u; v < VECTORS; v++) {
    let element = 4 * ((part * VECTORS + v) * LANES + lane);
    if (element >= params.size) { continue; }
    // What lies past the size is padding, of arbitrary content.
    let value = select(vec4f(), x[element / 4], vec4u(0, 1, 2, 3) + element < vec4u(params.size));
    sum += value * value;
  }
  sums[lane] = dot(sum, vec4f(1));
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane == 0 && part * LANES * VECTORS * 4 < params.size) { partials[params.first + part] = sums[0]; }
}
