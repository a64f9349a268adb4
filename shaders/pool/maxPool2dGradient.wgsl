// dx[n, h, w] = sum of dy over the windows that chose (h, w), in their order.
// threads: LANES in a workgroup; a thread does one element at the same place of up to PLANES planes, and tests every window that
// can cover it. It adds one by one, or with LONG by levels, where there are more than 1,024.
// uses: lib/grid.wgsl, lib/longSum.wgsl
const LONG: bool = false;
const LANES: u32 = 64;
const PLANES: u32 = 8;
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

// The first and (plus one) the last window along a dimension that can cover `at`, counted from the start of the padding.
fn covering(at: u32, dim: u32) -> vec2u {
  let reach = params.dilation[dim] * (params.window[dim] - 1);
  let first = (max(at, reach) - reach + params.stride[dim] - 1) / params.stride[dim];
  return vec2u(first, min(at / params.stride[dim] + 1, params.output[dim]));
}

@compute @workgroup_size(LANES)
fn maxPool2dGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let inputs = params.input.x * params.input.y;
  let outputs = params.output.x * params.output.y;
  let first = (thread / inputs) * PLANES;
  let place = thread % inputs;
  let rows = covering(place / params.input.y + params.padding.x, 0);
  let columns = covering(place % params.input.y + params.padding.y, 1);
  for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {
    var sum = LongSum();
    for (var p = rows.x; p < rows.y; p++) {
      for (var q = columns.x; q < columns.y; q++) {
        let window = plane * outputs + p * params.output.y + q;
        if (places[window] == place) { addTerm(&sum, dy[window]); }
      }
    }
    dx[plane * inputs + place] = totalOf(sum);
  }
}
