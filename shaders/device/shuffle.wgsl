enable subgroups;
// shuffle: y[2 i] = a sum over all lanes of a subgroup by shuffles, y[2 i + 1] = the number of the mirrored lane.
// threads: a workgroup is one subgroup of LANES, as in the kernels that shuffle.
// reference: packages/tensor/src/device/start/shuffle.ts.
const LANES: u32 = 8;
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [groups, LANES], integers
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [groups, LANES, 2]

@compute @workgroup_size(LANES)
fn shuffle(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * LANES + lane;
  let own = x[i];
  var sum = 0.0;
  for (var s = 0u; s < LANES; s++) { sum += f32(s + lane + 1) * subgroupShuffle(own, s); }
  y[2 * i] = sum;
  y[2 * i + 1] = subgroupShuffle(own, LANES - 1 - lane);
}
