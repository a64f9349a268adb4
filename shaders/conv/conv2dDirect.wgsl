// y[n, k, p, q] = bias[k] + sum over c of k's group, r and s of x[n, c, p * stride + r * dilation - padding, ...] * weight[k, c, r,
// s].
// threads: LANES in a workgroup, one element of y each: the definition, for any groups; fast where a group has few channels.
// uses: lib/grid.wgsl, lib/longSum.wgsl
const BIAS: bool = false;
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
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, C, H, W]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [K, C / groups, R, S]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [K], with BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;     // [N, K, P, Q]

@compute @workgroup_size(LANES)
fn conv2dDirect(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let area = params.output.x * params.output.y;
  if (id >= params.images * params.outputs * area) { return; }
  let place = id % area;
  let k = (id / area) % params.outputs;
  let image = id / (area * params.outputs);
  let corner = vec2u(place / params.output.y, place % params.output.y) * params.stride - params.padding;
  let channels = params.inputs / params.groups;
  let firstChannel = (k / (params.outputs / params.groups)) * channels;
  var sum: LongSum;
  for (var c = 0u; c < channels; c++) {
    let plane = (image * params.inputs + firstChannel + c) * params.input.x;
    let taps = (k * channels + c) * params.window.x;
    for (var r = 0u; r < params.window.x; r++) {
      let h = corner.x + r * params.dilation.x;  // wraps to a large number in the padding
      if (h >= params.input.x) { continue; }
      for (var s = 0u; s < params.window.y; s++) {
        let w = corner.y + s * params.dilation.y;
        if (w >= params.input.y) { continue; }
        addTerm(&sum, x[(plane + h) * params.input.y + w] * weight[(taps + r) * params.window.y + s]);
      }
    }
  }
  var total = totalOf(sum);
  if (BIAS) { total += bias[k]; }
  y[id] = total;
}
