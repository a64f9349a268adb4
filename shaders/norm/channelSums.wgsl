// Per channel c and part p of its N * inner values: MOMENTS gives (mean, sum of squared deviations from it), else
// (sum of dy, sum of dy * xhat) with xhat = (x - mean) * inverse deviation. Each part is summed as a tree.
// threads: one group per channel and part; lane l takes every LANES-th value of the part.
// reference: Chan, Golub and LeVeque (1983), the corrected two-pass algorithm, by parts.
// uses: lib/grid.wgsl
alias value = f32;                              // or vec4f where inner is a multiple of 4
const COMPONENTS: vec4f = vec4f(1, 0, 0, 0);    // which components of vec4f(value) count
const MOMENTS: bool = true;
const LANES: u32 = 64;
const_assert countOneBits(LANES) == 1;
struct Params {
  channels: u32,
  inner: u32,         // inner, length and chunk count values
  length: u32,
  parts: u32,
  chunk: u32,
  width: u32,         // numbers in a value
  strideImages: u32,  // LANES / inner
  strideRest: u32,    // LANES % inner
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<value>;    // [N, channels, inner]
@group(0) @binding(2) var<storage, read> dy: array<value>;   // [N, channels, inner]; unused for MOMENTS
@group(0) @binding(3) var<storage, read> statistics: array<vec2f>;        // [channels] of (mean, inverse deviation)
@group(0) @binding(4) var<storage, read_write> sums: array<vec2f>;        // [channels, parts]
var<workgroup> partial: array<vec2f, LANES>;

fn total(v: value) -> f32 {
  return dot(vec4f(v), COMPONENTS);
}

// The values of a channel in the order in which a lane takes them: every LANES-th, found without a division a step.
struct Walk { at: u32, inPlane: u32 }

fn begin(channel: u32, e: u32) -> Walk {
  return Walk(((e / params.inner) * params.channels + channel) * params.inner + e % params.inner, e % params.inner);
}

fn next(walk: Walk) -> Walk {
  // LANES values are strideImages whole planes of this channel and strideRest values more.
  var at = walk.at + params.strideImages * params.channels * params.inner + params.strideRest;
  var inPlane = walk.inPlane + params.strideRest;
  if (inPlane >= params.inner) {
    inPlane -= params.inner;
    at += (params.channels - 1) * params.inner;
  }
  return Walk(at, inPlane);
}

fn treeSum(lane: u32, mine: vec2f) -> vec2f {
  partial[lane] = mine;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  workgroupBarrier();
  let sum = partial[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(LANES)
fn channelSums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let channel = min(id / params.parts, params.channels - 1);
  let first = (id % params.parts) * params.chunk;
  let last = min(first + params.chunk, params.length);
  var result = vec2f();
  if (MOMENTS) {
    var sum = 0.0;
    var walk = begin(channel, first + lane);
    for (var e = first + lane; e < last; e += LANES) {
      sum += total(x[walk.at]);
      walk = next(walk);
    }
    let count = f32((last - first) * params.width);
    let mean = treeSum(lane, vec2f(sum, 0)).x / count;
    // The deviations' own sum takes the rounding of the mean out again.
    var deviations = vec2f();
    walk = begin(channel, first + lane);
    for (var e = first + lane; e < last; e += LANES) {
      let deviation = x[walk.at] - mean;
      deviations += vec2f(total(deviation), total(deviation * deviation));
      walk = next(walk);
    }
    let summed = treeSum(lane, deviations);
    let shift = summed.x / count;
    result = vec2f(mean + shift, summed.y - summed.x * shift);
  } else {
    let s = statistics[channel];
    var walk = begin(channel, first + lane);
    for (var e = first + lane; e < last; e += LANES) {
      let slope = dy[walk.at];
      result += vec2f(total(slope), total(slope * (x[walk.at] - s.x)) * s.y);
      walk = next(walk);
    }
    result = treeSum(lane, result);
  }
  if (lane == 0 && id < params.channels * params.parts) { sums[id] = result; }
}
