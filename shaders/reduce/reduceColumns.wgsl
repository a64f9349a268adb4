// y[o, p, i] = OP over part p of column (o, i): SUM, MAX or MIN of x[o, p * chunk .. min((p + 1) * chunk, length), i].
// threads: LANES in a workgroup, one value of y each; neighbors read neighboring columns.
// uses: lib/grid.wgsl
alias element = f32;       // or vec4<f32>: four columns as one
alias elementBits = u32;   // or vec4<u32>
const FLOAT: bool = true;  // whether elements are f32
const SUM: u32 = 0;
const MAX: u32 = 1;
const MIN: u32 = 2;
const OP: u32 = SUM;
const LANES: u32 = 64;
const LARGEST: u32 = select(0x7fffffffu, 0x7f800000u, FLOAT);  // bits of the largest magnitude that is not NaN
struct Params { outer: u32, length: u32, inner: u32, parts: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<element>;        // [outer, length, inner]
@group(0) @binding(2) var<storage, read_write> y: array<element>;  // [outer, parts, inner]

// NaN is detected by its bits: compilers may assume that there is none and remove a comparison with it. Integers have none.
fn join(a: element, b: element) -> element {
  if (OP == SUM) { return a + b; }
  let chosen = select(select(b, a, a < b), select(b, a, a > b), OP == MAX);
  let aIsNan = (bitcast<elementBits>(a) & elementBits(0x7fffffff)) > elementBits(LARGEST);
  let bIsNan = (bitcast<elementBits>(b) & elementBits(0x7fffffff)) > elementBits(LARGEST);
  return select(select(chosen, b, bIsNan), a, aIsNan);
}

@compute @workgroup_size(LANES)
fn reduceColumns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.outer * params.parts * params.inner) { return; }
  let i = id % params.inner;
  let p = (id / params.inner) % params.parts;
  let o = id / (params.inner * params.parts);
  let first = p * params.chunk;
  let last = min(first + params.chunk, params.length);
  let base = o * params.length * params.inner + i;
  var result = x[base + first * params.inner];
  for (var r = first + 1; r < last; r++) { result = join(result, x[base + r * params.inner]); }
  y[id] = result;
}
