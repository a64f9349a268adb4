// y[4 b .. 4 b + 3] = the words of block b of a stream of random numbers, as BITS, UNIFORM in [0, 1), NORMAL or BERNOULLI.
// threads: LANES in a workgroup; each does VECTORS blocks that are LANES apart.
// reference: Philox4x32-10, Salmon et al. (2011); normals by Box and Muller (1958).
// uses: lib/grid.wgsl, lib/philox.wgsl, lib/wideProduct.wgsl
alias element = f32;
const BITS: u32 = 0;
const UNIFORM: u32 = 1;
const NORMAL: u32 = 2;
const BERNOULLI: u32 = 3;
const DISTRIBUTION: u32 = UNIFORM;
const LANES: u32 = 256;
const VECTORS: u32 = 8;
struct Params { blocks: u32, firstBlock: vec2u, key: vec2u, probability: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<element>>;

// The sine of t turns. The built-in may be off by 2^-11; this series, over an eighth of a turn, by 1e-7.
fn sineOfTurns(t: vec2f) -> vec2f {
  let quarters = round(4 * t);
  let r = (4 * t - quarters) * 1.57079633;
  let s = r * r;
  let sine = r * (1 + s * (-1.0 / 6 + s * (1.0 / 120 + s * (-1.0 / 5040))));
  let cosine = 1 + s * (-0.5 + s * (1.0 / 24 + s * (-1.0 / 720 + s / 40320)));
  let quadrant = vec2u(quarters) % vec2u(4);
  let value = select(sine, cosine, (quadrant & vec2u(1)) == vec2u(1));
  return select(value, -value, quadrant >= vec2u(2));
}

fn value(words: vec4u) -> vec4<element> {
  switch DISTRIBUTION {
    case BITS: { return vec4<element>(words); }
    case UNIFORM: { return vec4<element>(uniform4(words)); }
    case NORMAL: {
      let uniforms = uniform4(words);
      let radius = sqrt(-2 * log(1 - uniforms.xy));
      return vec4<element>(vec4f(radius * sineOfTurns(uniforms.zw + 0.25), radius * sineOfTurns(uniforms.zw)));
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
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let block = first + v * LANES;
    if (block >= params.blocks) { continue; }
    y[block] = value(wordsOf(params.firstBlock, block, params.key));
  }
}
