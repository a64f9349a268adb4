// maxPool2d of adjacent 2x2 windows that fill [H, W], W a multiple of 4: y[n, p, q] = the largest of four, and its
// place h * W + w in the plane: the first of equals; NaN wins.
// threads: LANES in a workgroup; a thread does two windows, two vec4 of x, at the same place of up to PLANES planes.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const PLANES: u32 = 8;
struct Params { planes: u32, input: vec2u }  // H, W
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;             // [planes, H, W]
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;       // [planes, H / 2, W / 2]
@group(0) @binding(3) var<storage, read_write> places: array<vec2u>;  // [planes, H / 2, W / 2]

struct Best { value: vec2f, place: vec2u }

fn isNan(v: vec2f) -> vec2<bool> {
  return (bitcast<vec2u>(v) & vec2u(0x7fffffff)) > vec2u(0x7f800000);
}

fn better(best: Best, value: vec2f, place: vec2u) -> Best {
  let wins = (value > best.value) | (isNan(value) & !isNan(best.value));
  return Best(select(best.value, value, wins), select(best.place, place, wins));
}

@compute @workgroup_size(LANES)
fn halvePool2d(
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
  let place = vec2u(upper * 4) + vec2u(0, 2);
  for (var plane = first; plane < min(first + PLANES, params.planes); plane++) {
    let at = plane * 2 * pairs + upper;
    let a = x[at];
    let b = x[at + width];
    var best = Best(a.xz, place);
    best = better(best, a.yw, place + 1);
    best = better(best, b.xz, place + params.input.y);
    best = better(best, b.yw, place + params.input.y + 1);
    y[plane * pairs + pair] = best.value;
    places[plane * pairs + pair] = best.place;
  }
}
