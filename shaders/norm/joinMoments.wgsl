// statistics[c] = (mean, 1 / sqrt(variance + eps)) of the parts' moments; the running mean and unbiased variance follow
// with `momentum`, as in PyTorch.
// threads: one per channel.
// reference: Chan, Golub and LeVeque (1979): M = Ma + Mb + (mean_b - mean_a)^2 na nb / (na + nb).
// uses: lib/grid.wgsl
const TRACKED: bool = true;
const LANES: u32 = 64;
struct Params { channels: u32, parts: u32, chunk: u32, length: u32, width: u32, eps: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> moments: array<vec2f>;             // [channels, parts]
@group(0) @binding(2) var<storage, read_write> statistics: array<vec2f>;    // [channels]
@group(0) @binding(3) var<storage, read_write> runningMean: array<f32>;     // [channels]
@group(0) @binding(4) var<storage, read_write> runningVar: array<f32>;      // [channels]

@compute @workgroup_size(LANES)
fn joinMoments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = linearGroup(group, groups) * LANES + lane;
  if (channel >= params.channels) { return; }
  var count = 0.0;
  var mean = 0.0;
  var squares = 0.0;
  for (var p = 0u; p < params.parts; p++) {
    let first = p * params.chunk;
    let added = f32((min(first + params.chunk, params.length) - first) * params.width);
    let part = moments[channel * params.parts + p];
    let distance = part.x - mean;
    mean += distance * added / (count + added);
    squares += part.y + distance * distance * (count / (count + added)) * added;
    count += added;
  }
  statistics[channel] = vec2f(mean, 1 / sqrt(squares / count + params.eps));
  if (TRACKED) {
    runningMean[channel] += params.momentum * (mean - runningMean[channel]);
    runningVar[channel] += params.momentum * (squares / (count - 1) - runningVar[channel]);
  }
}
