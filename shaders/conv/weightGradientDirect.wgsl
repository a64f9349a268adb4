// dw[t, k, c, r, s] = sum over the images n of part t and all p, q of x[n, c, p * stride + r * dilation - padding, ...] * dy[n, k,
// p, q].
// threads: LANES in a workgroup, one tap of one part each; the parts are added up by a second pass.
// uses: lib/grid.wgsl, lib/longSum.wgsl
const LONG: bool = false;
const LANES: u32 = 64;
struct Params {
  images: u32,
  inputs: u32,       // C
  outputs: u32,      // K
  groups: u32,
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  window: vec2u,     // R, S
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
  parts: u32,
  chunk: u32,        // images of a part
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> dy: array<f32>;          // [N, K, P, Q]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;    // [parts, K, C / groups, R, S]

@compute @workgroup_size(LANES)
fn weightGradientDirect(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let channels = params.inputs / params.groups;
  let taps = params.outputs * channels * params.window.x * params.window.y;
  if (id >= params.parts * taps) { return; }
  let s = id % params.window.y;
  let r = (id / params.window.y) % params.window.x;
  let c = (id / (params.window.y * params.window.x)) % channels;
  let k = (id % taps) / (params.window.y * params.window.x * channels);
  let channel = (k / (params.outputs / params.groups)) * channels + c;
  let first = (id / taps) * params.chunk;
  let shift = vec2u(r, s) * params.dilation - params.padding;
  var sum: LongSum;
  for (var image = first; image < min(first + params.chunk, params.images); image++) {
    let plane = (image * params.inputs + channel) * params.input.x;
    let slopes = (image * params.outputs + k) * params.output.x;
    for (var p = 0u; p < params.output.x; p++) {
      let h = p * params.stride.x + shift.x;  // wraps to a large number in the padding
      if (h >= params.input.x) { continue; }
      for (var q = 0u; q < params.output.y; q++) {
        let w = q * params.stride.y + shift.y;
        if (w >= params.input.y) { continue; }
        addTerm(&sum, x[(plane + h) * params.input.y + w] * dy[(slopes + p) * params.output.y + q]);
      }
    }
  }
  dw[id] = totalOf(sum);
}
