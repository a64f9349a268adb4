// moments[p, c] = (mean - base, sum of squared deviations from the mean, count, base) of part p of channel c's values, where
// base is one of them, because far from zero the mean has few digits. Each value is read once: a lane takes blocks of them
// around the mean of the values before; then lanes combine as a tree.
// threads: one workgroup per channel and part; lane l takes every LANES-th vec4 of the part.
// reference: Chan, Golub and LeVeque (1983), by blocks.
// uses: lib/grid.wgsl, lib/channelWalk.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4
const LANES: u32 = 64;
const_assert countOneBits(LANES) == 1;
const BLOCK: u32 = 4;
struct Params {
  channels: u32,
  inner: u32,
  windows: u32,
  length: u32,     // windows of a channel, over all images
  parts: u32,
  chunk: u32,      // windows of a part
  firstPart: u32,  // the first part of this dispatch in `moments`
  strideImages: u32,
  strideRest: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;              // [N, channels, inner]
@group(0) @binding(2) var<storage, read_write> moments: array<vec4f>;  // [all parts, channels]
var<workgroup> partial: array<vec3f, LANES>;

fn join(a: vec3f, b: vec3f) -> vec3f {
  let count = a.z + b.z;
  let distance = b.x - a.x;
  let share = b.z / max(count, 1);
  return vec3f(a.x + distance * share, a.y + b.y + distance * distance * share * a.z, count);
}

@compute @workgroup_size(LANES)
fn channelMoments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  if (id >= params.channels * params.parts) { return; }
  let channel = id % params.channels;
  let part = id / params.channels;
  let first = part * params.chunk + lane;
  let last = min((part + 1) * params.chunk, params.length);
  let origin = beginWalk(channel, part * params.chunk).start;
  let base = x[origin / 4][origin % 4];
  var walk = beginWalk(channel, first);
  var mean = 0.0;
  var squares = 0.0;
  var count = 0.0;
  for (var e = first; e < last; e += BLOCK * LANES) {
    var deviations = vec4f();
    var deviationSquares = vec4f();
    var added = vec4f();
    for (var k = 0u; k < BLOCK; k++) {
      let valid = inPlane(walk, e + k * LANES < last);
      let deviation = select(vec4f(), (x[vectorOf(walk)] - base) - mean, valid);
      deviations += deviation;
      deviationSquares += deviation * deviation;
      added += select(vec4f(), vec4f(1), valid);
      walk = nextWalk(walk);
    }
    // The mean shifts by the block's share; the correction subtracts what that adds to every square.
    let sum = dot(deviations, vec4f(1));
    count += dot(added, vec4f(1));
    let moved = sum / max(count, 1);
    mean += moved;
    squares += dot(deviationSquares, vec4f(1)) - sum * moved;
  }
  partial[lane] = vec3f(mean, squares, count);
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] = join(partial[lane], partial[lane + half]); }
  }
  if (lane == 0) {
    moments[(params.firstPart + part) * params.channels + channel] = vec4f(partial[0], base);
  }
}
