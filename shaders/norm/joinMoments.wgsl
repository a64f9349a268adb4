// statistics[c] = (mean, inverse deviation, scale = inverse deviation * weight, shift = bias) from the parts' moments, the
// inverse deviation being 1 / sqrt(variance + eps); the running mean and unbiased variance follow with `momentum`, as in
// PyTorch.
// threads: one per channel.
// reference: Chan, Golub and LeVeque (1979): M = Ma + Mb + (mean_b - mean_a)^2 na nb / (na + nb).
// uses: lib/grid.wgsl
const TRACKED: bool = true;
const LANES: u32 = 64;
const BLOCK: u32 = 64;  // parts per block: blocks are combined separately, so that no chain of additions is long
struct Params { channels: u32, parts: u32, eps: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> moments: array<vec4f>;             // [parts, channels], of channelMoments
@group(0) @binding(2) var<storage, read> weight: array<f32>;                // [channels]
@group(0) @binding(3) var<storage, read> bias: array<f32>;                  // [channels]
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4f>;    // [channels]
@group(0) @binding(5) var<storage, read_write> runningMean: array<f32>;     // [channels]
@group(0) @binding(6) var<storage, read_write> runningVar: array<f32>;      // [channels]

// (mean, sum of squared deviations from it, count) of the union of two sets; b is not empty.
fn join(a: vec3f, b: vec3f) -> vec3f {
  let distance = b.x - a.x;
  let share = b.z / (a.z + b.z);
  return vec3f(a.x + distance * share, a.y + b.y + distance * distance * a.z * share, a.z + b.z);
}

@compute @workgroup_size(LANES)
fn joinMoments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  let base = moments[channel].w;
  var all = vec3f();
  for (var first = 0u; first < params.parts; first += BLOCK) {
    var block = vec3f();
    for (var p = first; p < min(first + BLOCK, params.parts); p++) {
      let part = moments[p * params.channels + channel];
      block = join(block, vec3f((part.w - base) + part.x, part.yz));
    }
    all = join(all, block);
  }
  let squares = all.y;
  let count = all.z;
  let mean = base + all.x;
  let inverse = 1 / sqrt(squares / count + params.eps);
  statistics[channel] = vec4f(mean, inverse, inverse * weight[channel], bias[channel]);
  if (TRACKED) {
    runningMean[channel] += params.momentum * (mean - runningMean[channel]);
    runningVar[channel] += params.momentum * (squares / (count - 1) - runningVar[channel]);
  }
}
