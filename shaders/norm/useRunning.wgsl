// statistics[c] = (runningMean[c], 1 / sqrt(runningVar[c] + eps)).
// threads: one per channel.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params { channels: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> runningMean: array<f32>;
@group(0) @binding(2) var<storage, read> runningVar: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2f>;

@compute @workgroup_size(LANES)
fn useRunning(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  statistics[channel] = vec2f(runningMean[channel], 1 / sqrt(runningVar[channel] + params.eps));
}
