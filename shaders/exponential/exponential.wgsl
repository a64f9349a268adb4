// y[i] = OP(x[i]). The built-in functions have few digits where these are near 0, and their error grows with the argument.
// NaN gives NaN: its bits are tested, since compilers lose it.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// reference: arguments by Cody and Waite (1980); polynomials by Moshier's Cephes library, expf and logf.
// uses: lib/grid.wgsl
const EXP2: u32 = 0;
const EXPM1: u32 = 1;
const LOG2: u32 = 2;
const LOG10: u32 = 3;
const LOG1P: u32 = 4;
const SINH: u32 = 5;
const COSH: u32 = 6;
const ASINH: u32 = 7;
const ACOSH: u32 = 8;
const ATANH: u32 = 9;
const OP: u32 = EXP2;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
// ln 2 in two parts; the products of the first with exponents are exact.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
const INFINITY_BITS: u32 = 0x7f800000;
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// exp(r) - 1 for |r| up to ln(2) / 2, relative to itself.
fn expm1Near(r: vec4f) -> vec4f {
  let upper = 8.3334519073e-3 + r * (1.3981999507e-3 + r * 1.9875691500e-4);
  return r + r * r * (5.0000001201e-1 + r * (1.6666665459e-1 + r * (4.1665795894e-2 + r * upper)));
}

// v * 2^exponent, in two factors: one may overflow where the result does not.
fn scaled(v: vec4f, exponent: vec4f) -> vec4f {
  let half = floor(exponent * 0.5);
  return v * powerOfTwo(half) * powerOfTwo(exponent - half);
}

// 2^exponent for exponents from -126 to 127.
fn powerOfTwo(exponent: vec4f) -> vec4f {
  return bitcast<vec4f>(vec4u(vec4i(exponent) + vec4i(127)) << vec4u(23));
}

// v = exponent * ln 2 + rest.
struct Power { exponent: vec4f, rest: vec4f }

fn powerOf(v: vec4f) -> Power {
  let exponent = round(v * 1.44269504);
  return Power(exponent, fma(-exponent, vec4f(LN2_LOW), fma(-exponent, vec4f(LN2_HIGH), v)));
}

fn exp2Of(v: vec4f) -> vec4f {
  let inside = clamp(v, vec4f(-160), vec4f(130));
  let exponent = round(inside);
  return scaled(1 + expm1Near((inside - exponent) * 0.69314718), exponent);
}

fn expm1Of(v: vec4f) -> vec4f {
  let power = powerOf(clamp(v, vec4f(-60), vec4f(90)));
  let one = powerOfTwo(max(-power.exponent, vec4f(-126)));
  return scaled(expm1Near(power.rest) + (1 - one), power.exponent);
}

// exp(v) / 2 for v >= 0.
fn halfExp(v: vec4f) -> vec4f {
  let power = powerOf(min(v, vec4f(91)));
  return scaled(1 + expm1Near(power.rest), power.exponent - 1);
}

// Within 1 the difference of exponentials loses digits; a series replaces it (error < 3e-8).
fn sinhOf(v: vec4f) -> vec4f {
  let s = v * v;
  let upper = 1.0 / 5040 + s * (1.0 / 362880);
  let series = v + v * s * (1.0 / 6 + s * (1.0 / 120 + s * upper));
  let half = halfExp(abs(v));
  return select(sign(v) * (half - 0.25 / half), series, abs(v) < vec4f(1));
}

fn coshOf(v: vec4f) -> vec4f {
  let half = halfExp(abs(v));
  return half + 0.25 / half;
}

// ln(1 + f) for f between sqrt(1/2) - 1 and sqrt(2) - 1, relative to itself.
fn logNear(f: vec4f) -> vec4f {
  let s = f * f;
  let high = -1.2420140846e-1 + f * (1.1676998740e-1 + f * (-1.1514610310e-1 + f * 7.0376836292e-2));
  let middle = 2.0000714765e-1 + f * (-1.6668057665e-1 + f * (1.4249322787e-1 + f * high));
  return f - 0.5 * s + f * s * (3.3333331174e-1 + f * (-2.4999993993e-1 + f * middle));
}

// v = 2^exponent * (1 + fraction), for positive and finite v.
struct Parts { exponent: vec4f, fraction: vec4f }

fn partsOf(v: vec4f) -> Parts {
  // Some adapters take denormal numbers for 0, with the same result as 0.
  let small = v < vec4f(0x1p-126);
  let bits = bitcast<vec4u>(select(v, v * 0x1p24, small));
  // 0x3f3504f3 is the square root of 1/2, where the next exponent begins.
  let exponent = vec4i(bits - vec4u(0x3f3504f3)) >> vec4u(23);
  let fraction = bitcast<vec4f>(bits - (vec4u(exponent) << vec4u(23))) - 1;
  return Parts(vec4f(exponent) - select(vec4f(), vec4f(24), small), fraction);
}

fn lnOf(parts: Parts) -> vec4f {
  return parts.exponent * LN2_HIGH + (parts.exponent * LN2_LOW + logNear(parts.fraction));
}

// A logarithm of v, where it is not a number, infinite or 0; `value` elsewhere.
fn whereFinite(v: vec4f, value: vec4f) -> vec4f {
  let finite = select(value, v, bitcast<vec4u>(v) == vec4u(INFINITY_BITS));
  return select(select(finite, sqrt(v), v < vec4f()), -1 / abs(v), v == vec4f());
}

fn log2Of(v: vec4f) -> vec4f {
  let parts = partsOf(v);
  return whereFinite(v, parts.exponent + logNear(parts.fraction) * 1.44269504);
}

// log10(2) in two parts, as above.
fn log10Of(v: vec4f) -> vec4f {
  let parts = partsOf(v);
  let lower = parts.exponent * 2.48745664e-4 + logNear(parts.fraction) * 0.43429448;
  return whereFinite(v, parts.exponent * 0.30078125 + lower);
}

// Where 1 + v would lose digits of v, the polynomial takes v itself.
fn log1pOf(v: vec4f) -> vec4f {
  let above = 1 + v;
  let near = (v > vec4f(-0.29289322)) & (v < vec4f(0.41421356));
  return select(whereFinite(above, lnOf(partsOf(above))), logNear(v), near);
}

// ln(2 v): the inverse hyperbolic functions far from 0.
fn logOfDouble(v: vec4f) -> vec4f {
  let parts = partsOf(v);
  return whereFinite(v, lnOf(Parts(parts.exponent + 1, parts.fraction)));
}

// Beyond 2^20 the square of v, which may overflow, is all of 1 + v^2.
fn asinhOf(v: vec4f) -> vec4f {
  let size = abs(v);
  let above = size + size * size / (1 + sqrt(size * size + 1));
  return sign(v) * select(log1pOf(above), logOfDouble(size), size > vec4f(0x1p20));
}

fn acoshOf(v: vec4f) -> vec4f {
  let above = v - 1;
  let value = select(log1pOf(above + sqrt(above * (v + 1))), logOfDouble(v), v > vec4f(0x1p20));
  return select(value, sqrt(above), above < vec4f());
}

fn atanhOf(v: vec4f) -> vec4f {
  let size = abs(v);
  let value = sign(v) * 0.5 * log1pOf(2 * size / (1 - size));
  return select(value, sqrt(1 - size), size > vec4f(1));
}

fn operation(v: vec4f) -> vec4f {
  switch OP {
    case EXP2: { return exp2Of(v); }
    case EXPM1: { return expm1Of(v); }
    case LOG2: { return log2Of(v); }
    case LOG10: { return log10Of(v); }
    case LOG1P: { return log1pOf(v); }
    case SINH: { return sinhOf(v); }
    case COSH: { return coshOf(v); }
    case ASINH: { return asinhOf(v); }
    case ACOSH: { return acoshOf(v); }
    case ATANH: { return atanhOf(v); }
    default: { return v; }
  }
}

@compute @workgroup_size(LANES)
fn exponential(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let value = x[i];
    let isNan = (bitcast<vec4u>(value) & vec4u(0x7fffffff)) > vec4u(INFINITY_BITS);
    y[i] = select(operation(value), value, isNan);
  }
}
