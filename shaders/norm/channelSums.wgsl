// sums[p, c] = (sum of d, sum of d * (x - mean)) over part p of channel c's values, with d = dy, or with RELU dy where the
// normalized x is over 0.
// threads: one workgroup per channel and part; lane l takes every LANES-th vec4 of the part; lanes combine as a tree.
// reference: Ioffe and Szegedy (2015), section 3.
// uses: lib/grid.wgsl, lib/channelWalk.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4
const RELU: bool = false;
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
  firstPart: u32,  // the first part of this dispatch in `sums`
  strideImages: u32,
  strideRest: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;           // [N, channels, inner]
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;          // [N, channels, inner]
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;  // [channels] of (mean, inverse deviation, scale, shift)
@group(0) @binding(4) var<storage, read_write> sums: array<vec2f>;  // [all parts, channels]
var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn channelSums(
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
  let s = statistics[channel];
  var slopes = vec4f();
  var products = vec4f();
  var walk = beginWalk(channel, first);
  for (var e = first; e < last; e += BLOCK * LANES) {
    for (var k = 0u; k < BLOCK; k++) {
      let i = vectorOf(walk);
      let deviation = x[i] - s.x;
      var counts = inPlane(walk, e + k * LANES < last);
      if (RELU) { counts = counts & (deviation * s.z + s.w > vec4f()); }
      let slope = select(vec4f(), dy[i], counts);
      slopes += slope;
      products += select(vec4f(), slope * deviation, counts);
      walk = nextWalk(walk);
    }
  }
  partial[lane] = vec2f(dot(slopes, vec4f(1)), dot(products, vec4f(1)));
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  if (lane == 0) {
    sums[(params.firstPart + part) * params.channels + channel] = partial[0];
  }
}
