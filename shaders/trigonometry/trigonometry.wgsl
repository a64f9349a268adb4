// y[i] = OP(x[i]), in radians. The built-in functions are only accurate to 2^-11 between -pi and pi.
// NaN gives NaN: its bits are tested, since compilers lose it.
// threads: LANES in a workgroup; each does VECTORS vec4 that are LANES apart.
// reference: arguments by Cody and Waite (1980), large ones by Payne and Hanek (1983); polynomials by Moshier's Cephes library.
// uses: lib/grid.wgsl, lib/arctangent.wgsl, lib/wideProduct.wgsl
const SIN: u32 = 0;
const COS: u32 = 1;
const TAN: u32 = 2;
const ASIN: u32 = 3;
const ACOS: u32 = 4;
const ATAN: u32 = 5;
const OP: u32 = SIN;
const LANES: u32 = 256;
const VECTORS: u32 = 4;
const HALF_PI: f32 = 1.57079632;
const PI: f32 = 3.14159265;
const INFINITY_BITS: u32 = 0x7f800000;
// The sum of these is pi / 2. The first four have 11 bits, so that their products with up to 2^13 are exact.
const PART_1: f32 = 0x1.92p0;
const PART_2: f32 = 0x1.fbp-12;
const PART_3: f32 = 0x1.51p-22;
const PART_4: f32 = 0x1.0bp-34;
const PART_5: f32 = 0x1.184698p-44;
// Larger arguments need more bits of 2 / pi.
const LARGE: f32 = 12000;
// The binary digits of 2 / pi, after 32 zeros.
const TWO_OVER_PI = array<u32, 8>(
  0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
);
struct Params { vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// v = quarters * pi / 2 + rest, with rest in [-pi / 4, pi / 4] and quarters modulo 4.
struct Angle { rest: vec4f, quarters: vec4u }

fn angleOf(v: vec4f) -> Angle {
  let quarters = round(clamp(v, vec4f(-LARGE), vec4f(LARGE)) * 0.63661977);
  var rest = fma(-quarters, vec4f(PART_1), v);
  rest = fma(-quarters, vec4f(PART_2), rest);
  rest = fma(-quarters, vec4f(PART_3), rest);
  rest = fma(-quarters, vec4f(PART_4), rest);
  rest = fma(-quarters, vec4f(PART_5), rest);
  var angle = Angle(rest, vec4u(vec4i(quarters)) & vec4u(3));
  for (var i = 0u; i < 4; i++) {
    if (abs(v[i]) > LARGE) {
      let large = angleOfLarge(bitcast<u32>(v[i]));
      angle.rest[i] = large.rest;
      angle.quarters[i] = large.quarters;
    }
  }
  return angle;
}

struct LargeAngle { rest: f32, quarters: u32 }

// The number is mantissa * 2^exponent. Its product with 2 / pi modulo 4 needs 96 digits, the first of weight
// 2^(1 - exponent): those before it give multiples of 4, those after it less than 2^-70.
fn angleOfLarge(bits: u32) -> LargeAngle {
  let mantissa = (bits & 0x7fffff) | 0x800000;
  let first = ((bits >> 23) & 0xff) - 120;
  let high = mantissa * digits(first);
  let middle = mantissa * digits(first + 32);
  let middleSum = middle + mulHigh(mantissa, digits(first + 64));
  let highSum = high + mulHigh(mantissa, digits(first + 32)) + select(0u, 1u, middleSum < middle);
  // Two digits are the quarters; the others are a fraction of 64 digits, of which the first counts negative.
  var fraction = (highSum << 2) | (middleSum >> 30);
  var lower = middleSum << 2;
  let negative = fraction >= 0x80000000u;
  if (negative) {
    fraction = ~fraction + select(0u, 1u, lower == 0);
    lower = ~lower + 1;
  }
  let size = (f32(fraction) * 0x1p-32 + f32(lower) * 0x1p-64) * HALF_PI;
  let quarters = (highSum >> 30) + select(0u, 1u, negative);
  let below = bits >= 0x80000000u;
  return LargeAngle(select(size, -size, negative != below), select(quarters, 4 - quarters, below) & 3);
}

// 32 digits of TWO_OVER_PI from `first` on.
fn digits(first: u32) -> u32 {
  let word = first / 32;
  let shift = first % 32;
  return (TWO_OVER_PI[word] << shift) | select(0u, TWO_OVER_PI[word + 1] >> ((32 - shift) & 31), shift > 0);
}

fn sineOfRest(r: vec4f) -> vec4f {
  let s = r * r;
  return r + r * s * (-1.6666654611e-1 + s * (8.3321608736e-3 + s * -1.9515295891e-4));
}

fn cosineOfRest(r: vec4f) -> vec4f {
  let s = r * r;
  return 1 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
}

// The sine of an angle and of more quarters.
fn sineOf(angle: Angle, more: u32) -> vec4f {
  let quarters = angle.quarters + vec4u(more);
  let size = select(sineOfRest(angle.rest), cosineOfRest(angle.rest), (quarters & vec4u(1)) == vec4u(1));
  return select(size, -size, (quarters & vec4u(2)) == vec4u(2));
}

fn tangentOf(angle: Angle) -> vec4f {
  let sine = sineOfRest(angle.rest);
  let cosine = cosineOfRest(angle.rest);
  return select(sine / cosine, -cosine / sine, (angle.quarters & vec4u(1)) == vec4u(1));
}

// The arcsine of |v| up to 1/2, and beyond it of sqrt((1 - |v|) / 2), which is half the arccosine of |v|.
fn arcsine(v: vec4f) -> vec4f {
  let size = abs(v);
  let far = size > vec4f(0.5);
  let s = select(v * v, 0.5 * (1 - size), far);
  let root = select(size, sqrt(s), far);
  let upper = 4.5470025998e-2 + s * (2.4181311049e-2 + s * 4.2163199048e-2);
  return root + root * s * (1.6666752422e-1 + s * (7.4953002686e-2 + s * upper));
}

fn asinOf(v: vec4f) -> vec4f {
  let part = arcsine(v);
  let size = select(part, HALF_PI - 2 * part, abs(v) > vec4f(0.5));
  return select(size, -size, v < vec4f());
}

fn acosOf(v: vec4f) -> vec4f {
  let part = arcsine(v);
  let near = HALF_PI - select(part, -part, v < vec4f());
  let far = select(2 * part, PI - 2 * part, v < vec4f());
  return select(near, far, abs(v) > vec4f(0.5));
}

fn atanOf(v: vec4f) -> vec4f {
  let size = abs(v);
  let far = size > vec4f(1);
  let part = arctangent(select(size, 1 / size, far));
  let angle = select(part, HALF_PI - part, far);
  return select(angle, -angle, v < vec4f());
}

fn operation(v: vec4f) -> vec4f {
  switch OP {
    case SIN: { return sineOf(angleOf(v), 0); }
    case COS: { return sineOf(angleOf(v), 1); }
    case TAN: { return tangentOf(angleOf(v)); }
    case ASIN: { return asinOf(v); }
    case ACOS: { return acosOf(v); }
    case ATAN: { return atanOf(v); }
    default: { return v; }
  }
}

@compute @workgroup_size(LANES)
fn trigonometry(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linearGroup(group, groups) * LANES * VECTORS + lane;
  for (var v = 0u; v < VECTORS; v++) {
    let i = first + v * LANES;
    if (i >= params.vectors) { continue; }
    let value = x[i];
    let bits = bitcast<vec4u>(value) & vec4u(0x7fffffff);
    // Infinity has no sine, cosine and tangent.
    let invalid = (bits > vec4u(INFINITY_BITS)) | (vec4<bool>(OP <= TAN) & (bits == vec4u(INFINITY_BITS)));
    y[i] = select(operation(value), bitcast<vec4f>(bits | vec4u(0x7fc00000)), invalid);
  }
}
