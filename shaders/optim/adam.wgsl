// p = (1 - decay) * parameter; g = gradient + weightDecay * p; average = beta1 * average + (1 - beta1) * g;
// averageSquare = beta2 * averageSquare + (1 - beta2) * g^2;
// parameter = p - stepSize * average / (sqrt(averageSquare) / deviationScale + eps).
// The host gives stepSize = learningRate / (1 - beta1^t) and deviationScale = sqrt(1 - beta2^t).
// threads: LANES in a group; each does VECTORS vec4 that lie LANES apart.
// reference: Kingma and Ba (2015); with decay instead of weightDecay, Loshchilov and Hutter (2019).
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 4;
struct Params {
  vectors: u32,
  decay: f32,
  weightDecay: f32,
  beta1: f32,
  beta2: f32,
  newPart1: f32,  // 1 - beta1, rounded once from the host's double
  newPart2: f32,  // 1 - beta2
  stepSize: f32,
  deviationScale: f32,
  eps: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> averageSquare: array<vec4f>;

@compute @workgroup_size(LANES)
fn adam(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let p = parameter[i] - params.decay * parameter[i];
    let g = gradient[i] + params.weightDecay * p;
    let m = params.beta1 * average[i] + params.newPart1 * g;
    let s = params.beta2 * averageSquare[i] + params.newPart2 * g * g;
    average[i] = m;
    averageSquare[i] = s;
    parameter[i] = p - params.stepSize * m / (sqrt(s) / params.deviationScale + params.eps);
  }
}
