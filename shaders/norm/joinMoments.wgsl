// statistics[c] = (mean, inverse deviation, scale = inverse deviation * weight, shift = bias) from the parts' moments, the
// inverse deviation being 1 / sqrt(variance + eps); the running mean and unbiased variance follow with `momentum`, as in
// PyTorch.
// threads: one per channel.
// reference: Chan, Golub and LeVeque (1979): M = Ma + Mb + (mean_b - mean_a)^2 na nb / (na + nb).
// uses: lib/grid.wgsl
const TRACKED: bool = true;
const LANES: u32 = 64;
struct Params { channels: u32, parts: u32, eps: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> moments: array<vec4f>;             // [parts, channels], of channelMoments
@group(0) @binding(2) var<storage, read> weight: array<f32>;                // [channels]
@group(0) @binding(3) var<storage, read> bias: array<f32>;                  // [channels]
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4f>;    // [channels]
@group(0) @binding(5) var<storage, read_write> runningMean: array<f32>;     // [channels]
@group(0) @binding(6) var<storage, read_write> runningVar: array<f32>;      // [channels]

@compute @workgroup_size(LANES)
fn joinMoments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  let base = moments[channel].w;
  var count = 0.0;
  var fromBase = 0.0;
  var squares = 0.0;
  for (var p = 0u; p < params.parts; p++) {
    let part = moments[p * params.channels + channel];
    let distance = (part.w - base) + part.x - fromBase;
    let share = part.z / (count + part.z);
    fromBase += distance * share;
    squares += part.y + distance * distance * count * share;
    count += part.z;
  }
  let mean = base + fromBase;
  let inverse = 1 / sqrt(squares / count + params.eps);
  statistics[channel] = vec4f(mean, inverse, inverse * weight[channel], bias[channel]);
  if (TRACKED) {
    runningMean[channel] += params.momentum * (mean - runningMean[channel]);
    runningVar[channel] += params.momentum * (squares / (count - 1) - runningVar[channel]);
  }
}
