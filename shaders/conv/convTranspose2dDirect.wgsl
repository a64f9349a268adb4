// x[n, c, h, w] = bias[c] + sum over k of c's group, r and s of y[n, k, p, q] * weight[k, c, r, s], where
// p * stride + r * dilation - padding = h and likewise q, w: the transpose of conv2d.
// threads: LANES in a workgroup, one element of x each, which gathers its terms.
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
@group(0) @binding(1) var<storage, read> y: array<f32>;           // [N, K, P, Q]
@group(0) @binding(2) var<storage, read> weight: array<f32>;      // [K, C / groups, R, S]
@group(0) @binding(3) var<storage, read> bias: array<f32>;        // [C], with BIAS
@group(0) @binding(4) var<storage, read_write> x: array<f32>;     // [N, C, H, W]

@compute @workgroup_size(LANES)
fn convTranspose2dDirect(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let area = params.input.x * params.input.y;
  if (id >= params.images * params.inputs * area) { return; }
  let place = id % area;
  let channel = (id / area) % params.inputs;
  let image = id / (area * params.inputs);
  let corner = vec2u(place / params.input.y, place % params.input.y) + params.padding;
  let channels = params.inputs / params.groups;
  let outputs = params.outputs / params.groups;
  let firstOutput = (channel / channels) * outputs;
  var sum: LongSum;
  for (var r = 0u; r < params.window.x; r++) {
    let h = corner.x - r * params.dilation.x;  // stride times p; wraps to a large number where it is negative
    let p = h / params.stride.x;
    if (p * params.stride.x != h || p >= params.output.x) { continue; }
    for (var s = 0u; s < params.window.y; s++) {
      let w = corner.y - s * params.dilation.y;
      let q = w / params.stride.y;
      if (q * params.stride.y != w || q >= params.output.y) { continue; }
      for (var k = firstOutput; k < firstOutput + outputs; k++) {
        let tap = ((k * channels + channel % channels) * params.window.x + r) * params.window.y + s;
        addTerm(&sum, y[((image * params.outputs + k) * params.output.x + p) * params.output.y + q] * weight[tap]);
      }
    }
  }
  var total = totalOf(sum);
  if (BIAS) { total += bias[channel]; }
  x[id] = total;
}
