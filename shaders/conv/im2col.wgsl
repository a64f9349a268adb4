// The patches of x as a matrix, k-major for gemm.wgsl. Column j is output pixel (n, p, q), row t is tap (c, r, s):
// patches[t, j] = x[n, c, p * stride + r * dilation - padding, ...], zero outside. PIXEL_MAJOR: patches[j, t].
// threads: LANES in a workgroup; each does four neighboring pixels of one channel, all taps.
// reference: Chellapilla, Puri and Simard (2006).
// uses: lib/grid.wgsl
const PIXEL_MAJOR: bool = false;
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
  rows: u32,         // taps, padded to a multiple of 4
  columns: u32,      // pixels, padded to a multiple of 4
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // [images, channels, H, W]
@group(0) @binding(2) var<storage, read_write> patches: array<f32>;     // [rows, columns], with PIXEL_MAJOR [columns, rows]

@compute @workgroup_size(LANES)
fn im2col(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let blocks = params.columns / 4;
  let taps = params.window.x * params.window.y;
  // The rows' padding counts as one more channel, all of it outside x.
  let channels = (params.rows + taps - 1) / taps;
  if (id >= blocks * channels) { return; }
  let channel = id / blocks;
  let first = (id % blocks) * 4;
  let area = params.output.x * params.output.y;
  var image = first / area;
  var at = vec2u((first % area) / params.output.y, (first % area) % params.output.y);
  for (var column = first; column < first + 4; column++) {
    let corner = at * params.stride - params.padding;  // positions in the padding wrap to large numbers
    let plane = (image * params.channels + channel) * params.input.x * params.input.y;
    let inside = image < params.images && channel < params.channels;
    var tap = channel * taps;
    for (var r = 0u; r < params.window.x; r++) {
      for (var s = 0u; s < params.window.y; s++) {
        if (tap >= params.rows) { continue; }
        let source = corner + vec2u(r, s) * params.dilation;
        var value = 0.0;
        if (inside && source.x < params.input.x && source.y < params.input.y) { value = x[plane + source.x * params.input.y + source.y]; }
        if (PIXEL_MAJOR) { patches[column * params.rows + tap] = value; }
        else { patches[tap * params.columns + column] = value; }
        tap++;
      }
    }
    at.y += 1;
    if (at.y == params.output.y) { at = vec2u(at.x + 1, 0); }
    if (at.x == params.output.x) {
      at = vec2u();
      image += 1;
    }
  }
}
