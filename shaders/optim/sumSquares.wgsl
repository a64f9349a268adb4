// partials[firsts + g] = sum of x[i]^2 over the g-th LANES * VECTORS vec4 of one of up to SLOTS tensors.
// threads: LANES in a workgroup; each adds VECTORS vec4 that are LANES apart, then halves of the lanes add pairwise.
// uses: lib/grid.wgsl
const SLOTS: u32 = 7;
const LANES: u32 = 64;
const VECTORS: u32 = 32;
const_assert SLOTS <= 8;
const_assert (LANES & (LANES - 1)) == 0;  // halved down to one
struct Params {
  firstGroups: array<vec4u, 2>,  // the first workgroup of each slot; past the last one for an empty slot
  sizes: array<vec4u, 2>,        // elements of each slot
  firsts: array<vec4u, 2>,       // the first partial sum of each slot
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x0: array<vec4f>;
@group(0) @binding(2) var<storage, read> x1: array<vec4f>;
@group(0) @binding(3) var<storage, read> x2: array<vec4f>;
@group(0) @binding(4) var<storage, read> x3: array<vec4f>;
@group(0) @binding(5) var<storage, read> x4: array<vec4f>;
@group(0) @binding(6) var<storage, read> x5: array<vec4f>;
@group(0) @binding(7) var<storage, read> x6: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<f32, LANES>;

// The squares of the i-th vec4 of a tensor, without the padding after its last element, whose content is arbitrary.
fn squares(x: vec4f, i: u32, size: u32) -> vec4f {
  return select(vec4f(), x * x, vec4u(0, 1, 2, 3) + 4 * i < vec4u(size));
}

@compute @workgroup_size(LANES)
fn sumSquares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let begun = vec4u(vec4u(id) >= params.firstGroups[0]) + vec4u(vec4u(id) >= params.firstGroups[1]);
  let slot = dot(begun, vec4u(1)) - 1;
  let size = params.sizes[slot / 4][slot % 4];
  let part = id - params.firstGroups[slot / 4][slot % 4];
  let first = part * LANES * VECTORS;
  let end = min(first + LANES * VECTORS, (size + 3) / 4);
  var sum = vec4f();
  switch slot {
    case 0: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x0[i], i, size); } }
    case 1: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x1[i], i, size); } }
    case 2: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x2[i], i, size); } }
    case 3: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x3[i], i, size); } }
    case 4: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x4[i], i, size); } }
    case 5: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x5[i], i, size); } }
    default: { for (var i = first + lane; i < end; i += LANES) { sum += squares(x6[i], i, size); } }
  }
  sums[lane] = dot(sum, vec4f(1));
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane == 0 && first < end) { partials[params.firsts[slot / 4][slot % 4] + part] = sums[0]; }
}
