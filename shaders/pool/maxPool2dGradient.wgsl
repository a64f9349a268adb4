// dx[n, h, w] = sum of dy over the windows that chose (h, w), in their own order.
// threads: LANES in a group, one element of dx each, which asks every window that covers it.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params {
  planes: u32,
  input: vec2u,     // H, W
  output: vec2u,    // P, Q
  window: vec2u,
  stride: vec2u,
  padding: vec2u,
  dilation: vec2u,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;          // [planes, P, Q]
@group(0) @binding(2) var<storage, read> places: array<u32>;      // [planes, P, Q]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;    // [planes, H, W]

@compute @workgroup_size(LANES)
fn maxPool2dGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let inputs = params.input.x * params.input.y;
  if (id >= params.planes * inputs) { return; }
  let plane = (id / inputs) * params.output.x * params.output.y;
  let place = id % inputs;
  let at = vec2u(place / params.input.y, place % params.input.y) + params.padding;
  var sum = 0.0;
  for (var r = 0u; r < params.window.x; r++) {
    let h = at.x - r * params.dilation.x;  // stride times p; wraps to a large number where it is negative
    let p = h / params.stride.x;
    if (h % params.stride.x != 0 || p >= params.output.x) { continue; }
    for (var s = 0u; s < params.window.y; s++) {
      let w = at.y - s * params.dilation.y;
      let q = w / params.stride.y;
      if (w % params.stride.y != 0 || q >= params.output.y) { continue; }
      let window = plane + p * params.output.y + q;
      if (places[window] == place) { sum += dy[window]; }
    }
  }
  dx[id] = sum;
}
