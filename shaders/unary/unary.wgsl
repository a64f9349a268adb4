// y[i] = OP(x[i]).
// NaN gives NaN: its bits are tested, since built-in functions and compilers lose it.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// reference: erfc by Press et al., Numerical Recipes (1992), section 6.2; erfinv by Giles (2012); gelu by Hendrycks and Gimpel (2016).
// uses: lib/grid.wgsl
const NEG: u32 = 0;
const ABS: u32 = 1;
const EXP: u32 = 2;
const LOG: u32 = 3;
const SQRT: u32 = 4;
const RSQRT: u32 = 5;
const SQUARE: u32 = 6;
const RELU: u32 = 7;
const SIGMOID: u32 = 8;
const TANH: u32 = 9;
const GELU: u32 = 10;
const GELU_DERIVATIVE: u32 = 11;
const SILU: u32 = 12;
const SILU_DERIVATIVE: u32 = 13;
const SIGN: u32 = 14;
const FLOOR: u32 = 15;
const CEIL: u32 = 16;
const ROUND: u32 = 17;
const TRUNC: u32 = 18;
const FRAC: u32 = 19;
const RECIPROCAL: u32 = 20;
const ERF: u32 = 21;
const ERFC: u32 = 22;
const ERFINV: u32 = 23;
const OP: u32 = NEG;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// Some adapters return a finite number at 0 and below; -1 / 0 and the root of a negative number are right on all.
fn logOf(v: vec4f) -> vec4f {
  return select(select(log(v), sqrt(v), v < vec4f()), -1 / abs(v), v == vec4f());
}

fn sigmoidOf(v: vec4f) -> vec4f {
  return 1 / (1 + exp(-v));
}

// The built-in function loses all digits near 0 on adapters that divide exponentials; a series replaces it (error < 1e-8).
fn tanhOf(v: vec4f) -> vec4f {
  let s = v * v;
  let series = v * (1 + s * (-1.0 / 3 + s * (2.0 / 15 + s * (-17.0 / 315 + s * (62.0 / 2835)))));
  let far = sign(v) * (1 - 2 / (exp(2 * min(abs(v), vec4f(20))) + 1));
  return select(far, series, abs(v) < vec4f(0.25));
}

// erfc(z) for z >= 0. It keeps its digits: its relative error is at most 1.2e-7 before rounding.
fn complementOf(z: vec4f) -> vec4f {
  let t = 1 / (1 + 0.5 * z);
  let upper = -0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))));
  let exponent = -z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * upper)));
  return t * exp(exponent);
}

fn normalCumulative(v: vec4f) -> vec4f {
  let tail = complementOf(abs(v) * 0.70710678);
  return select(1 - 0.5 * tail, 0.5 * tail, v < vec4f());
}

// Within 1/2 the complement has no digits of erf left; the Taylor series has (relative error < 1e-9).
fn erfSeries(v: vec4f) -> vec4f {
  let s = v * v;
  let upper = -1.0 / 42 + s * (1.0 / 216 + s * (-1.0 / 1320 + s * (1.0 / 9360)));
  return v * 1.12837917 * (1 + s * (-1.0 / 3 + s * (1.0 / 10 + s * upper)));
}

fn erfOf(v: vec4f) -> vec4f {
  return select(sign(v) * (1 - complementOf(abs(v))), erfSeries(v), abs(v) < vec4f(0.5));
}

fn erfcOf(v: vec4f) -> vec4f {
  let tail = complementOf(abs(v));
  return select(select(tail, 2 - tail, v < vec4f()), 1 - erfSeries(v), abs(v) < vec4f(0.5));
}

fn erfinvOf(v: vec4f) -> vec4f {
  let w = -logOf((1 - v) * (1 + v));
  let s = w - 2.5;
  let upperNear = 2.1858087e-4 + s * (-4.39150654e-6 + s * (-3.5233877e-6 + s * (3.43273939e-7 + s * 2.81022636e-8)));
  let near = 1.50140941 + s * (2.46640727e-1 + s * (-4.17768164e-3 + s * (-1.25372503e-3 + s * upperNear)));
  let r = sqrt(w) - 3;
  let upperFar = 5.73950773e-3 + r * (-3.67342844e-3 + r * (1.34934322e-3 + r * (1.00950558e-4 + r * -2.00214257e-4)));
  let far = 2.83297682 + r * (1.00167406 + r * (9.43887047e-3 + r * (-7.6224613e-3 + r * upperFar)));
  return select(v * select(far, near, w < vec4f(5)), v * w, abs(v) == vec4f(1));
}

fn truncOf(v: vec4f) -> vec4f {
  return select(floor(v), ceil(v), v < vec4f());
}

fn operation(v: vec4f) -> vec4f {
  switch OP {
    case NEG: { return -v; }
    case ABS: { return abs(v); }
    case EXP: { return exp(v); }
    case LOG: { return logOf(v); }
    case SQRT: { return sqrt(v); }
    case RSQRT: { return inverseSqrt(v); }
    case SQUARE: { return v * v; }
    case RELU: { return max(v, vec4f()); }
    case SIGMOID: { return sigmoidOf(v); }
    case TANH: { return tanhOf(v); }
    case GELU: { return v * normalCumulative(v); }
    case GELU_DERIVATIVE: { return normalCumulative(v) + v * exp(-0.5 * v * v) * 0.39894228; }
    case SILU: { return v * sigmoidOf(v); }
    case SILU_DERIVATIVE: { return sigmoidOf(v) * (1 + v * (1 - sigmoidOf(v))); }
    case SIGN: { return sign(v); }
    case FLOOR: { return floor(v); }
    case CEIL: { return ceil(v); }
    case ROUND: { return round(v); }
    case TRUNC: { return truncOf(v); }
    case FRAC: { return v - truncOf(v); }
    case RECIPROCAL: { return 1 / v; }
    case ERF: { return erfOf(v); }
    case ERFC: { return erfcOf(v); }
    case ERFINV: { return erfinvOf(v); }
    default: { return v; }
  }
}

@compute @workgroup_size(LANES)
fn unary(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let value = x[i];
    let isNan = (bitcast<vec4u>(value) & vec4u(0x7fffffff)) > vec4u(0x7f800000);
    y[i] = select(operation(value), value, isNan);
  }
}
