// x[n, c, h, w] = sum of patches[t, j] over the taps t = (c, r, s) and output pixels j = (n, p, q) that read (h, w):
// the transpose of im2col; each element gathers its terms in a fixed order.
// threads: LANES in a workgroup, one element of x each.
// uses: lib/grid.wgsl
const BIAS: bool = false;
const STRIDED: bool = true;  // false where the stride is 1: no division per tap
const LANES: u32 = 64;
struct Params {
  images: u32,
  channels: u32,
  input: vec2u,      // H, W
  output: vec2u,     // P, Q
  window: vec2u,     // R, S
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
  tapStep: vec2u,    // the stride without dilation: only every tapStep-th tap can read a place; else 1
  columns: u32,      // pixels, padded to a multiple of 4
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> patches: array<f32>;     // [taps, columns]
@group(0) @binding(2) var<storage, read> bias: array<f32>;        // [channels], with BIAS
@group(0) @binding(3) var<storage, read_write> x: array<f32>;     // [images, channels, H, W]

// a / stride, or a large number where that is not an integer.
fn over(a: u32, stride: u32) -> u32 {
  if (!STRIDED) { return a; }
  let quotient = a / stride;
  return select(0xffffffff, quotient, quotient * stride == a);
}

@compute @workgroup_size(LANES)
fn col2im(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let area = params.input.x * params.input.y;
  if (id >= params.images * params.channels * area) { return; }
  let place = id % area;
  let channel = (id / area) % params.channels;
  let image = id / (area * params.channels);
  let corner = vec2u(place / params.input.y, place % params.input.y) + params.padding;
  var sum = 0.0;
  if (BIAS) { sum = bias[channel]; }
  for (var r = corner.x % params.tapStep.x; r < params.window.x; r += params.tapStep.x) {
    let h = corner.x - r * params.dilation.x;  // stride times p; wraps to a large number where it is negative
    let p = over(h, params.stride.x);
    if (p >= params.output.x) { continue; }
    for (var s = corner.y % params.tapStep.y; s < params.window.y; s += params.tapStep.y) {
      let w = corner.y - s * params.dilation.y;
      let q = over(w, params.stride.y);
      if (q >= params.output.y) { continue; }
      let tap = (channel * params.window.x + r) * params.window.y + s;
      sum += patches[tap * params.columns + (image * params.output.x + p) * params.output.y + q];
    }
  }
  x[id] = sum;
}
