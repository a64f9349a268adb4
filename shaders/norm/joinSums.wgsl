// The gradients by weight and bias from the parts' sums, and the means that the gradient by x needs:
// means[c] = fromBatch * (sum of d, sum of d * xhat * inverse deviation); fromBatch is 1 / count where the statistics are
// this batch's, 0 where they were given.
// threads: one per channel.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const BLOCK: u32 = 64;  // parts per block: blocks are summed separately, so that no chain of additions is long
struct Params { channels: u32, parts: u32, fromBatch: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;              // [parts, channels] of (sum of d, sum of d * (x - mean))
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;        // [channels] of (mean, inverse deviation, scale, shift)
@group(0) @binding(3) var<storage, read_write> dWeight: array<f32>;       // [channels]
@group(0) @binding(4) var<storage, read_write> dBias: array<f32>;         // [channels]
@group(0) @binding(5) var<storage, read_write> means: array<vec2f>;       // [channels]

@compute @workgroup_size(LANES)
fn joinSums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  var total = vec2f();
  for (var first = 0u; first < params.parts; first += BLOCK) {
    var block = vec2f();
    for (var p = first; p < min(first + BLOCK, params.parts); p++) { block += sums[p * params.channels + channel]; }
    total += block;
  }
  let inverse = statistics[channel].y;
  dWeight[channel] = total.y * inverse;
  dBias[channel] = total.x;
  means[channel] = params.fromBatch * vec2f(total.x, total.y * inverse * inverse);
}
