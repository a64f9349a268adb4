// y[n, p, q] = max over the window of (p, q), and its place in the plane: the first of equals; NaN wins. A window
// of padding only gives -Infinity, and NOWHERE for its place.
// threads: LANES in a workgroup; a thread does one window at the same place of up to PLANES planes: the divisions are done once for
// all of them.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const PLANES: u32 = 8;
const NOWHERE: u32 = 0xffffffff;
struct Params {
  planes: u32,
  input: vec2u,     // H, W
  output: vec2u,    // P, Q
  window: vec2u,
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
  lowest: f32,      // -Infinity, for which WGSL has no constant
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;              // [planes, H, W]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;        // [planes, P, Q]
@group(0) @binding(3) var<storage, read_write> places: array<u32>;   // [planes, P, Q], h * W + w

fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000;
}

@compute @workgroup_size(LANES)
fn maxPool2d(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let outputs = params.output.x * params.output.y;
  let inputs = params.input.x * params.input.y;
  let first = (thread / outputs) * PLANES;
  let window = thread % outputs;
  // Positions in the padding wrap to large numbers.
  let corner = vec2u(window / params.output.y, window % params.output.y) * params.stride - params.padding;
  for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {
    var best = params.lowest;
    var place = NOWHERE;
    for (var r = 0u; r < params.window.x; r++) {
      let h = corner.x + r * params.dilation.x;
      for (var s = 0u; s < params.window.y; s++) {
        let w = corner.y + s * params.dilation.y;
        if (h >= params.input.x || w >= params.input.y) { continue; }
        let v = x[plane * inputs + h * params.input.y + w];
        if (place == NOWHERE || v > best || (isNan(v) && !isNan(best))) {
          best = v;
          place = h * params.input.y + w;
        }
      }
    }
    y[plane * outputs + window] = best;
    places[plane * outputs + window] = place;
  }
}
