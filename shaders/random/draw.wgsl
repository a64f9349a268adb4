// y[4 b .. 4 b + 3] = the words of block b of a stream of random numbers, as BITS, UNIFORM in [0, 1), NORMAL or BERNOULLI.
// threads: LANES in a group, one block each.
// reference: Philox4x32-10, Salmon et al. (2011); normals by Box and Muller (1958).
// uses: lib/grid.wgsl, lib/philox.wgsl
alias element = f32;
const BITS: u32 = 0;
const UNIFORM: u32 = 1;
const NORMAL: u32 = 2;
const BERNOULLI: u32 = 3;
const DISTRIBUTION: u32 = UNIFORM;
const LANES: u32 = 64;
struct Params { blocks: u32, firstBlock: vec2u, key: vec2u, probability: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<element>>;

fn value(words: vec4u) -> vec4<element> {
  switch DISTRIBUTION {
    case BITS: { return vec4<element>(words); }
    case UNIFORM: { return vec4<element>(uniform4(words)); }
    case NORMAL: {
      let uniforms = uniform4(words);
      let radius = sqrt(-2 * log(1 - uniforms.xy));
      let angle = 6.2831853 * uniforms.zw;
      return vec4<element>(vec4f(radius * cos(angle), radius * sin(angle)));
    }
    default: { return vec4<element>(uniform4(words) < vec4f(params.probability)); }
  }
}

@compute @workgroup_size(LANES)
fn draw(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = linearGroup(group, groups) * LANES + lane;
  if (block >= params.blocks) { return; }
  let low = params.firstBlock.x + block;
  let high = params.firstBlock.y + select(0u, 1u, low < block);
  y[block] = value(philox(vec4u(low, high, 0, 0), params.key));
}
