// dx = weight * inverse deviation * (dy - fromBatch * (sum of dy + xhat * sum of dy * xhat)), by channel;
// fromBatch is 1 / count where the statistics came from this batch, 0 where they were given.
// threads: LANES in a group; each does VECTORS vec4 of the flat tensor that lie LANES apart.
// reference: Ioffe and Szegedy (2015), section 3.
// uses: lib/grid.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4: a vec4 lies in one channel
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32, channels: u32, inner: u32, strideChannels: u32, strideRest: u32, fromBatch: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;           // [N, channels, inner]
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;          // [N, channels, inner]
@group(0) @binding(3) var<storage, read> statistics: array<vec2f>;  // [channels] of (mean, inverse deviation)
@group(0) @binding(4) var<storage, read> weight: array<f32>;        // [channels]
@group(0) @binding(5) var<storage, read> sums: array<vec2f>;        // [channels] of (sum of dy, sum of dy * xhat)
@group(0) @binding(6) var<storage, read_write> dx: array<vec4f>;

fn gradient(v: vec4f, d: vec4f, channel: u32) -> vec4f {
  let s = statistics[channel];
  let means = sums[channel] * params.fromBatch;
  return weight[channel] * s.y * (d - means.x - (v - s.x) * (s.y * means.y));
}

@compute @workgroup_size(LANES)
fn normalizeGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  var inPlane = first * 4 % params.inner;
  var channel = (first * 4 / params.inner) % params.channels;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    if (ALIGNED && v > 0) {
      // The next vec4 is strideChannels channels and strideRest elements on: no division a step.
      inPlane += params.strideRest;
      channel += params.strideChannels;
      if (inPlane >= params.inner) {
        inPlane -= params.inner;
        channel += 1;
      }
      if (channel >= params.channels) { channel -= params.channels; }
    }
    if (ALIGNED) {
      dx[i] = gradient(x[i], dy[i], channel);
    } else {
      let value = x[i];
      let slope = dy[i];
      var result: vec4f;
      for (var k = 0u; k < 4; k++) {
        result[k] = gradient(vec4f(value[k]), vec4f(slope[k]), ((i * 4 + k) / params.inner) % params.channels).x;
      }
      dx[i] = result;
    }
  }
}
