// g = gradient + weightDecay * parameter; velocity = momentum * velocity + g;
// parameter -= learningRate * (NESTEROV ? g + momentum * velocity : velocity), or learningRate * g without MOMENTUM.
// CLAMPED bounds the gradient to -limit..limit first; SCALED multiplies it by min(1, limit / (sqrt(squares) + 1e-6)), NaN included.
// threads: LANES in a workgroup, one vec4 each, of one of up to SLOTS parameters.
// reference: torch.optim.SGD; Sutskever et al. (2013); torch.nn.utils.clip_grad_norm_, whose 1e-6 prevents a division by 0.
// uses: lib/grid.wgsl
const MOMENTUM: bool = true;
const NESTEROV: bool = false;
const CLAMPED: bool = false;
const SCALED: bool = false;
const SLOTS: u32 = 3;
const LANES: u32 = 64;
const VECTORS: u32 = 1;
const_assert SLOTS <= 4;
struct Params {
  firstGroups: vec4u,  // the first workgroup of each slot; past the last one for an empty slot
  sizes: vec4u,        // elements of each slot
  firsts: vec4u,       // the first element of each slot in velocity
  learningRate: f32,
  weightDecay: f32,
  momentum: f32,
  limit: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient0: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient1: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient2: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameter0: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parameter1: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> parameter2: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> velocity: array<vec4f>;  // of all slots
@group(0) @binding(8) var<storage, read> squares: array<f32>;           // one element

// min(1, limit / (norm + 1e-6)), and NaN where the norm is: min may lose it, so its bits are tested.
fn scaleFor(sum: f32) -> f32 {
  let isNan = (bitcast<u32>(sum) & 0x7fffffff) > 0x7f800000;
  return select(min(1, params.limit / (sqrt(sum) + 1e-6)), sum, isNan);
}

@compute @workgroup_size(LANES)
fn sgd(
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
    case 1: { gradient = gradient1[i]; before = parameter1[i]; }
    default: { gradient = gradient2[i]; before = parameter2[i]; }
  }
  if (CLAMPED) {
    // Built-in functions may lose NaN, so its bits are tested.
    let isNan = (bitcast<vec4u>(gradient) & vec4u(0x7fffffff)) > vec4u(0x7f800000);
    gradient = select(clamp(gradient, vec4f(-params.limit), vec4f(params.limit)), gradient, isNan);
  }
  if (SCALED) { gradient *= scaleFor(squares[0]); }
  let g = gradient + params.weightDecay * before;
  var direction = g;
  if (MOMENTUM) {
    let kept = params.firsts[slot] / 4 + i;
    let newest = params.momentum * velocity[kept] + g;
    velocity[kept] = newest;
    direction = select(newest, g + params.momentum * newest, NESTEROV);
  }
  let after = before - params.learningRate * direction;
  switch slot {
    case 0: { parameter0[i] = after; }
    case 1: { parameter1[i] = after; }
    default: { parameter2[i] = after; }
  }
}
