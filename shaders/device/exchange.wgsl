// exchange: lanes hand numbers on through workgroup memory, in rounds and by halves, as tiles and sums of kernels do.
// threads: groups of LANES; y[group, lane] = a sum of what lane read in each round; total[group] = the sum of x's numbers.
// reference: packages/tensor/src/device/start/exchange.ts.
const LANES: u32 = 128;
struct Params { rounds: u32, half: u32 }                           // numbers of the host: loops are not unrolled, which takes long
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // [groups, LANES]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;      // [groups, LANES]
@group(0) @binding(3) var<storage, read_write> total: array<u32>;  // [groups]
@group(0) @binding(4) var<storage, read_write> flags: array<atomic<u32>>;  // [4]: a bit a group
var<workgroup> tile: array<array<u32, 2 * LANES>, 2>;
var<workgroup> partial: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn exchange(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var value = x[group.x * LANES + lane];
  var read = 0u;
  for (var round = 0u; round < params.rounds; round++) {
    let side = round % 2;
    tile[side][lane] = value;
    tile[side][2 * LANES - 1 - lane] = ~value;
    workgroupBarrier();
    let source = (lane * 5 + 37 * (round + 1)) % (2 * LANES);
    value = tile[side][source] + round;
    read = read * 3 + value;
  }
  y[group.x * LANES + lane] = read;
  partial[lane] = value;
  for (var half = params.half; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] = partial[lane] * 3 + partial[lane + half]; }
  }
  atomicOr(&flags[lane % 4], 1u << group.x);
  if (lane == 0) { total[group.x] = partial[0]; }
}
