// p = (1 - decay) * parameter; g = gradient + weightDecay * p; average = beta1 * average + (1 - beta1) * g;
// averageSquare = beta2 * averageSquare + (1 - beta2) * g^2;
// parameter = p - stepSize * average / (sqrt(averageSquare) / deviationScale + eps).
// The host gives stepSize = learningRate / (1 - beta1^t) and deviationScale = sqrt(1 - beta2^t).
// CLAMPED bounds the gradient to -limit..limit first; SCALED multiplies it by min(1, limit / (sqrt(squares) + 1e-6)), NaN included.
// threads: LANES in a workgroup, one vec4 each, of one of up to SLOTS parameters.
// reference: Kingma and Ba (2015); with decay instead of weightDecay, Loshchilov and Hutter (2019).
// uses: lib/grid.wgsl
const CLAMPED: bool = false;
const SCALED: bool = false;
const SLOTS: u32 = 2;
const LANES: u32 = 64;
const VECTORS: u32 = 1;
const_assert SLOTS <= 4;
struct Params {
  firstGroups: vec4u,  // the first workgroup of each slot; past the last one for an empty slot
  sizes: vec4u,        // elements of each slot
  firsts: vec4u,       // the first element of each slot in average and averageSquare
  decay: f32,
  weightDecay: f32,
  beta1: f32,
  beta2: f32,
  newPart1: f32,  // 1 - beta1, rounded once from the host's double
  newPart2: f32,  // 1 - beta2
  stepSize: f32,
  deviationScale: f32,
  eps: f32,
  limit: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient0: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient1: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> parameter0: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameter1: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> average: array<vec4f>;        // of all slots
@group(0) @binding(6) var<storage, read_write> averageSquare: array<vec4f>;  // of all slots
@group(0) @binding(7) var<storage, read> squares: array<f32>;                // one element

// min(1, limit / (norm + 1e-6)), and NaN where the norm is: min may lose it, so its bits are tested.
fn scaleFor(sum: f32) -> f32 {
  let isNan = (bitcast<u32>(sum) & 0x7fffffff) > 0x7f800000;
  return select(min(1, params.limit / (sqrt(sum) + 1e-6)), sum, isNan);
}

@compute @workgroup_size(LANES)
fn adam(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let slot = dot(vec4u(vec4u(id) >= params.firstGroups), vec4u(1)) - 1;
  let i = (id - params.firstGroups[slot]) * LANES + lane;
  if (4 * i >= params.sizes[slot]) { return; }
  var gradient: vec4f;
  var before: vec4f;
  switch slot {
    case 0: { gradient = gradient0[i]; before = parameter0[i]; }
    default: { gradient = gradient1[i]; before = parameter1[i]; }
  }
  if (CLAMPED) {
    // Built-in functions may lose NaN, so its bits are tested.
    let isNan = (bitcast<vec4u>(gradient) & vec4u(0x7fffffff)) > vec4u(0x7f800000);
    gradient = select(clamp(gradient, vec4f(-params.limit), vec4f(params.limit)), gradient, isNan);
  }
  if (SCALED) { gradient *= scaleFor(squares[0]); }
  let p = before - params.decay * before;
  let g = gradient + params.weightDecay * p;
  let kept = params.firsts[slot] / 4 + i;
  let m = params.beta1 * average[kept] + params.newPart1 * g;
  let s = params.beta2 * averageSquare[kept] + params.newPart2 * g * g;
  average[kept] = m;
  averageSquare[kept] = s;
  let after = p - params.stepSize * m / (sqrt(s) / params.deviationScale + params.eps);
  switch slot {
    case 0: { parameter0[i] = after; }
    default: { parameter1[i] = after; }
  }
}
