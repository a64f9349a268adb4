// y = (x - mean) * inverse deviation * weight + bias, by channel.
// threads: LANES in a group; each does VECTORS vec4 of the flat tensor that lie LANES apart.
// reference: Ioffe and Szegedy (2015).
// uses: lib/grid.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4: a vec4 lies in one channel
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32, channels: u32, inner: u32, strideChannels: u32, strideRest: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;           // [N, channels, inner]
@group(0) @binding(2) var<storage, read> statistics: array<vec2f>;  // [channels] of (mean, inverse deviation)
@group(0) @binding(3) var<storage, read> weight: array<f32>;        // [channels]
@group(0) @binding(4) var<storage, read> bias: array<f32>;          // [channels]
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

// The mean is taken off first: x * scale + shift would lose digits far from zero.
fn apply(v: f32, channel: u32) -> f32 {
  let s = statistics[channel];
  return (v - s.x) * (s.y * weight[channel]) + bias[channel];
}

@compute @workgroup_size(LANES)
fn normalize(
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
    let value = x[i];
    if (ALIGNED) {
      let s = statistics[channel];
      y[i] = (value - s.x) * (s.y * weight[channel]) + bias[channel];
    } else {
      var result: vec4f;
      for (var k = 0u; k < 4; k++) { result[k] = apply(value[k], ((i * 4 + k) / params.inner) % params.channels); }
      y[i] = result;
    }
  }
}
