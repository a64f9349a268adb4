// y[i] = x[i] * min(1, maximum / (norm + 1e-6)).
// threads: LANES in a group; each does VECTORS vec4 that lie LANES apart.
// reference: torch.nn.utils.clip_grad_norm_; its 1e-6 keeps a zero norm from dividing.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const VECTORS: u32 = 4;
struct Params { vectors: u32, maximum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;  // one element
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn scaleToNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let factor = min(1, params.maximum / (norm[0] + 1e-6));
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i < params.vectors) { y[i] = x[i] * factor; }
  }
}
