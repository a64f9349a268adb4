// y[r, p] = OP over part p of row r: SUM, MAX or MIN of x[r, p * chunk .. min((p + 1) * chunk, columns)].
// threads: one workgroup per row and part; lane l takes every LANES-th value, then halves combine until one is left.
// uses: lib/grid.wgsl
alias element = f32;
alias value = f32;          // or vec4<f32>, of the elements, where a row has a multiple of 4
alias valueBits = u32;      // or vec4<u32>
const FLOAT: bool = true;   // whether elements are f32
const WIDTH: u32 = 1;       // elements in a value
const SUM: u32 = 0;
const MAX: u32 = 1;
const MIN: u32 = 2;
const OP: u32 = SUM;
const LANES: u32 = 64;
const_assert countOneBits(LANES) == 1;
const LARGEST: u32 = select(0x7fffffffu, 0x7f800000u, FLOAT);  // bits of the largest magnitude that is not NaN
struct Params { rows: u32, columns: u32, parts: u32, chunk: u32 }  // columns and chunk in values
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<value>;          // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<element>;  // [rows, parts]
var<workgroup> partial: array<element, LANES>;

// NaN is detected by its bits: compilers may assume that there is none and remove a comparison with it. Integers have none.
fn joinValues(a: value, b: value) -> value {
  if (OP == SUM) { return a + b; }
  let chosen = select(select(b, a, a < b), select(b, a, a > b), OP == MAX);
  let aIsNan = (bitcast<valueBits>(a) & valueBits(0x7fffffff)) > valueBits(LARGEST);
  let bIsNan = (bitcast<valueBits>(b) & valueBits(0x7fffffff)) > valueBits(LARGEST);
  return select(select(chosen, b, bIsNan), a, aIsNan);
}

fn join(a: element, b: element) -> element {
  if (OP == SUM) { return a + b; }
  let chosen = select(select(b, a, a < b), select(b, a, a > b), OP == MAX);
  let aIsNan = (bitcast<u32>(a) & u32(0x7fffffff)) > u32(LARGEST);
  let bIsNan = (bitcast<u32>(b) & u32(0x7fffffff)) > u32(LARGEST);
  return select(select(chosen, b, bIsNan), a, aIsNan);
}

fn elementOf(v: value) -> element {
  let all = vec4<element>(v);
  if (WIDTH == 1) { return all.x; }
  return join(join(all.x, all.y), join(all.z, all.w));
}

@compute @workgroup_size(LANES)
fn reduceRows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let row = min(id / params.parts, params.rows - 1);
  let first = (id % params.parts) * params.chunk;
  let last = min(first + params.chunk, params.columns);
  let base = row * params.columns;
  var result = select(x[base + first], value(0), OP == SUM);
  for (var c = first + lane; c < last; c += LANES) { result = joinValues(result, x[base + c]); }
  partial[lane] = elementOf(result);
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] = join(partial[lane], partial[lane + half]); }
  }
  if (lane == 0 && id < params.rows * params.parts) { y[id] = partial[0]; }
}
