// y = (x - mean) * inverse deviation * weight + bias, by channel; with RESIDUAL plus residual; with RELU max(., 0) of that.
// threads: LANES in a workgroup; a thread does one vec4 at the same place of up to ROWS rows, so that the data of the
// channels is read once. A row is an image, or the whole tensor where the size of an image is no multiple of 4.
// reference: Ioffe and Szegedy (2015).
// uses: lib/grid.wgsl
const ALIGNED: bool = false;  // inner is a multiple of 4: a vec4 is in one channel
const RESIDUAL: bool = false;
const RELU: bool = false;
const LANES: u32 = 256;
const ROWS: u32 = 8;
struct Params { rows: u32, vectors: u32, channels: u32, inner: u32 }  // vectors: vec4 of a row
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;           // [N, channels, inner]
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;    // [N, channels, inner]; unused without RESIDUAL
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;  // [channels] of (mean, inverse deviation, scale, shift)
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;     // [N, channels, inner]

// max(v, 0), and NaN for NaN: its bits are tested, since compilers may assume that there is none.
fn relu(v: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffff)) > vec4u(0x7f800000);
  return select(max(v, vec4f()), v, isNan);
}

@compute @workgroup_size(LANES)
fn normalize(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linearGroup(group, groups) * LANES + lane;
  let first = (thread / params.vectors) * ROWS;
  let column = thread % params.vectors;
  // The mean is subtracted first: x * scale + shift would lose digits far from zero.
  var mean: vec4f;
  var scale: vec4f;
  var shift: vec4f;
  for (var k = 0u; k < 4; k++) {
    let s = statistics[((column * 4 + select(k, 0, ALIGNED)) / params.inner) % params.channels];
    mean[k] = s.x;
    scale[k] = s.z;
    shift[k] = s.w;
  }
  for (var row = first; row < min(first + ROWS, params.rows); row++) {
    let i = row * params.vectors + column;
    var value = (x[i] - mean) * scale + shift;
    if (RESIDUAL) { value += residual[i]; }
    if (RELU) { value = relu(value); }
    y[i] = value;
  }
}
