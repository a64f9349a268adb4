// dx = scale * (d - means.x - (x - mean) * means.y), by channel, with d = dy, or with RELU dy where the normalized x is over 0.
// threads: LANES in a workgroup; a thread does one vec4 at the same place of up to ROWS rows, so that the data of the
// channels is read once. A row is an image, or the whole tensor where the size of an image is no multiple of 4.
// reference: Ioffe and Szegedy (2015), section 3.
// uses: lib/grid.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4: a vec4 is in one channel
const RELU: bool = false;
const LANES: u32 = 256;
const ROWS: u32 = 8;
struct Params { rows: u32, vectors: u32, channels: u32, inner: u32 }  // vectors: vec4 of a row
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;           // [N, channels, inner]
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;          // [N, channels, inner]
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;  // [channels] of (mean, inverse deviation, scale, shift)
@group(0) @binding(4) var<storage, read> means: array<vec2f>;       // [channels], of joinSums
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;    // [N, channels, inner]

@compute @workgroup_size(LANES)
fn normalizeGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let first = (thread / params.vectors) * ROWS;
  let column = thread % params.vectors;
  var mean: vec4f;
  var scale: vec4f;
  var shift: vec4f;
  var meanSlope: vec4f;
  var meanProduct: vec4f;
  for (var k = 0u; k < 4; k++) {
    let channel = ((column * 4 + select(k, 0, ALIGNED)) / params.inner) % params.channels;
    let s = statistics[channel];
    let m = means[channel];
    mean[k] = s.x;
    scale[k] = s.z;
    shift[k] = s.w;
    meanSlope[k] = m.x;
    meanProduct[k] = m.y;
  }
  for (var row = first; row < min(first + ROWS, params.rows); row++) {
    let i = row * params.vectors + column;
    let deviation = x[i] - mean;
    var slope = dy[i];
    if (RELU) { slope = select(vec4f(), slope, deviation * scale + shift > vec4f()); }
    dx[i] = scale * (slope - meanSlope - deviation * meanProduct);
  }
}
