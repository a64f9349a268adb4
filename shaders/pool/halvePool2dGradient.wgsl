// dx[n, h, w] = dy of the window that contains (h, w), where that chose it, else 0: the gradient of halvePool2d.
// threads: LANES in a workgroup; a thread does two windows, two vec4 of dx, at the same place of up to PLANES planes.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const PLANES: u32 = 8;
struct Params { planes: u32, input: vec2u }  // H, W
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec2f>;        // [planes, H / 2, W / 2]
@group(0) @binding(2) var<storage, read> places: array<vec2u>;    // [planes, H / 2, W / 2]
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;  // [planes, H, W]

@compute @workgroup_size(LANES)
fn halvePool2dGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let width = params.input.y / 4;  // vec4 of a row, and pairs of windows
  let pairs = params.input.x / 2 * width;
  let first = (thread / pairs) * PLANES;
  let pair = thread % pairs;
  let upper = pair / width * 2 * width + pair % width;
  let own = vec4u(upper * 4) + vec4u(0, 1, 2, 3);
  for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {
    let at = plane * 2 * pairs + upper;
    let slope = dy[plane * pairs + pair].xxyy;
    let chosen = places[plane * pairs + pair].xxyy;
    dx[at] = select(vec4f(), slope, chosen == own);
    dx[at + width] = select(vec4f(), slope, chosen == own + params.input.y);
  }
}
