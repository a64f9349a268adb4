// statistics[c] = (mean, inverse deviation, scale = inverse deviation * weight, shift = bias) from the running mean and variance,
// the inverse deviation being 1 / sqrt(runningVar[c] + eps). With AFTER the mean is that of values without the bias `before` of the
// previous layer.
// threads: one per channel.
// uses: lib/grid.wgsl
const AFTER: bool = false;
const LANES: u32 = 64;
struct Params { channels: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> runningMean: array<f32>;
@group(0) @binding(2) var<storage, read> runningVar: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> before: array<f32>;               // with AFTER
@group(0) @binding(6) var<storage, read_write> statistics: array<vec4f>;

@compute @workgroup_size(LANES)
fn useRunning(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  let inverse = 1 / sqrt(runningVar[channel] + params.eps);
  var mean = runningMean[channel];
  if (AFTER) { mean -= before[channel]; }
  statistics[channel] = vec4f(mean, inverse, inverse * weight[channel], bias[channel]);
}
