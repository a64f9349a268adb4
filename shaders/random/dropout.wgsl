// y[i] = x[i] * (uniform(i) < keep ? 1 / keep : 0), with the i-th number of a stream: the same stream gives the same mask.
// 0 times NaN or Infinity is NaN, as in PyTorch.
// threads: LANES in a workgroup; each does VECTORS vec4, each with its block of four words, that are LANES apart.
// reference: Srivastava et al. (2014).
// uses: lib/grid.wgsl, lib/philox.wgsl, lib/wideProduct.wgsl
const LANES: u32 = 256;
const VECTORS: u32 = 8;
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
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let block = first + v * LANES;
    if (block >= params.blocks) { continue; }
    let kept = uniform4(wordsOf(params.firstBlock, block, params.key)) < vec4f(params.keep);
    y[block] = x[block] * select(vec4f(), vec4f(1 / params.keep), kept);
  }
}
