// exchange: lanes exchange numbers through workgroup memory in rounds, as tiles and sums of kernels do.
// threads: workgroups of LANES; y[group, lane] = a sum of the numbers that the lane read in each round; flags = which workgroups
// ran.
// reference: packages/tensor/src/device/start/exchange.ts.
// One loop with one barrier: on software adapters each barrier costs 0.1 s of compilation.
const LANES: u32 = 128;
struct Params { rounds: u32 }                                      // from the host, so that the loop is not unrolled
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // [groups, LANES]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;      // [groups, LANES]
@group(0) @binding(3) var<storage, read_write> flags: array<atomic<u32>>;  // [4]: a bit per workgroup
var<workgroup> tile: array<u32, 2 * LANES>;  // two halves, used in turns

@compute @workgroup_size(LANES)
fn exchange(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * LANES + lane;
  var value = x[i];
  var read = 0u;
  for (var round = 0u; round < params.rounds; round++) {
    let side = LANES * (round % 2);
    tile[side + lane] = value;
    workgroupBarrier();
    value = tile[side + (lane * 5 + 37 * (round + 1)) % LANES] + round;
    // All lanes, then half of them, then a quarter, add the number of a lane in the other half.
    if (lane < (LANES >> round)) { value += tile[side + (lane ^ 64)]; }
    read = read * 3 + value;
  }
  y[i] = read;
  atomicOr(&flags[lane % 4], 1u << group.x);
}
