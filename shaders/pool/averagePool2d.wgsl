// y[n, p, q] = sum of x over the window of (p, q) / divisor; GRADIENT: y[n, h, w] = sum of x[n, p, q] / divisor of (p, q)
// over the windows that cover (h, w). A window is stride-wide steps of a fixed size, or ADAPTIVE: from floor(p H / P) to
// ceil((p + 1) H / P).
// threads: LANES in a workgroup; a thread does one element of y at the same place of up to PLANES planes. It adds one by
// one, or with LONG by levels, for windows of more than 1,024 elements.
// uses: lib/grid.wgsl, lib/longSum.wgsl
const ADAPTIVE: bool = false;
const GRADIENT: bool = false;
const LONG: bool = false;
const LANES: u32 = 64;
const PLANES: u32 = 8;
struct Params {
  planes: u32,
  input: vec2i,     // H, W
  output: vec2i,    // P, Q
  window: vec2i,
  stride: vec2i,
  padding: vec2i,
  countPadding: u32,  // whether the divisor counts padding
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // [planes, H, W], with GRADIENT [planes, P, Q]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [planes, P, Q], with GRADIENT [planes, H, W]

// First row or column of window i, and the one after its last; not yet clamped to the input.
fn span(i: vec2i) -> vec4i {
  if (ADAPTIVE) { return vec4i(i * params.input / params.output, ((i + 1) * params.input + params.output - 1) / params.output); }
  let first = i * params.stride - params.padding;
  return vec4i(first, min(first + params.window, params.input + params.padding));
}

fn inside(s: vec4i) -> vec4i {
  return vec4i(max(s.xy, vec2i()), min(s.zw, params.input));
}

fn divisor(s: vec4i) -> f32 {
  let counted = select(inside(s), s, params.countPadding != 0);
  return f32((counted.z - counted.x) * (counted.w - counted.y));
}

fn average(plane: i32, i: vec2i) -> f32 {
  let s = span(i);
  let cut = inside(s);
  var sum = LongSum();
  for (var h = cut.x; h < cut.z; h++) {
    for (var w = cut.y; w < cut.w; w++) { addTerm(&sum, x[(plane * params.input.x + h) * params.input.y + w]); }
  }
  return totalOf(sum) / divisor(s);
}

// The first and the last window that cover a row or column.
fn covering(at: vec2i) -> vec4i {
  if (ADAPTIVE) { return vec4i(at * params.output / params.input, ((at + 1) * params.output - 1) / params.input); }
  return vec4i((at + params.padding - params.window + params.stride) / params.stride, (at + params.padding) / params.stride);
}

fn spread(plane: i32, at: vec2i) -> f32 {
  let windows = covering(at);
  let first = max(windows.xy, vec2i());
  let last = min(windows.zw, params.output - 1);
  var sum = LongSum();
  for (var p = first.x; p <= last.x; p++) {
    for (var q = first.y; q <= last.y; q++) {
      addTerm(&sum, x[(plane * params.output.x + p) * params.output.y + q] / divisor(span(vec2i(p, q))));
    }
  }
  return totalOf(sum);
}

@compute @workgroup_size(LANES)
fn averagePool2d(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let size = select(params.output, params.input, GRADIENT);
  let area = u32(size.x * size.y);
  let first = (thread / area) * PLANES;
  let place = thread % area;
  let at = vec2i(i32(place) / size.y, i32(place) % size.y);
  for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {
    let id = plane * area + place;
    if (GRADIENT) { y[id] = spread(i32(plane), at); } else { y[id] = average(i32(plane), at); }
  }
}
