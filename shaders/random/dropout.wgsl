// y[i] = uniform(i) < keep ? x[i] / keep : 0, with the i-th number of a stream: the same stream gives the same mask.
// threads: LANES in a group, a vec4 and its block of four words each.
// reference: Srivastava et al. (2014).
// uses: lib/grid.wgsl, lib/philox.wgsl
const LANES: u32 = 64;
struct Params { blocks: u32, firstBlock: vec2u, key: vec2u, keep: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn dropout(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = linearGroup(group, groups) * LANES + lane;
  if (block >= params.blocks) { return; }
  let low = params.firstBlock.x + block;
  let high = params.firstBlock.y + select(0u, 1u, low < block);
  let kept = uniform4(philox(vec4u(low, high, 0, 0), params.key)) < vec4f(params.keep);
  y[block] = select(vec4f(), x[block] / params.keep, kept);
}
