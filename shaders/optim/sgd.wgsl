// g = gradient + weightDecay * parameter; velocity = momentum * velocity + g;
// parameter -= learningRate * (NESTEROV ? g + momentum * velocity : velocity), or learningRate * g without MOMENTUM.
// threads: LANES in a group; each does VECTORS vec4 that lie LANES apart.
// reference: torch.optim.SGD; Sutskever et al. (2013).
// uses: lib/grid.wgsl
const MOMENTUM: bool = true;
const NESTEROV: bool = false;
const LANES: u32 = 64;
const VECTORS: u32 = 4;
struct Params { vectors: u32, learningRate: f32, weightDecay: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> velocity: array<vec4f>;

@compute @workgroup_size(LANES)
fn sgd(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let before = parameter[i];
    let g = gradient[i] + params.weightDecay * before;
    var direction = g;
    if (MOMENTUM) {
      let newest = params.momentum * velocity[i] + g;
      velocity[i] = newest;
      direction = select(newest, g + params.momentum * newest, NESTEROV);
    }
    parameter[i] = before - params.learningRate * direction;
  }
}
