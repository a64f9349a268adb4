// The binary elementwise family: one case per operation. The kernel that uses this declares `alias element`, `alias result`,
// `const OP` and `const FLOAT`, and uses lib/arctangent.wgsl; the compiler folds the switch.
// NaN is detected by its bits: compilers may assume that there is none and remove a comparison with it.
const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
const DIV: u32 = 3;
const POW: u32 = 4;
const MAXIMUM: u32 = 5;
const MINIMUM: u32 = 6;
const EQ: u32 = 7;
const NE: u32 = 8;
const LT: u32 = 9;
const LE: u32 = 10;
const GT: u32 = 11;
const GE: u32 = 12;
const AND: u32 = 13;
const OR: u32 = 14;
const XOR: u32 = 15;
const RELU_GRADIENT: u32 = 16;
const SIGMOID_GRADIENT: u32 = 17;
const TANH_GRADIENT: u32 = 18;
const ATAN2: u32 = 19;
const REMAINDER: u32 = 20;
const FMOD: u32 = 21;
const INFINITY_BITS: u32 = 0x7f800000;

fn isNan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffff)) > vec4u(INFINITY_BITS);
}

// The NaN among a and b, else c.
fn orNan(a: vec4<element>, b: vec4<element>, c: vec4<element>) -> vec4<element> {
  if (!FLOAT) { return c; }
  return select(select(c, b, isNan(bitcast<vec4f>(b))), a, isNan(bitcast<vec4f>(a)));
}

fn binaryOperation(a: vec4<element>, b: vec4<element>) -> vec4<result> {
  let zero = vec4<element>();
  let one = vec4<element>(1);
  switch OP {
    case ADD: { return vec4<result>(a + b); }
    case SUB: { return vec4<result>(a - b); }
    case MUL: { return vec4<result>(a * b); }
    case DIV: { return vec4<result>(a / b); }
    case POW: {
      if (FLOAT) { return vec4<result>(power(vec4f(a), vec4f(b))); }
      return vec4<result>(powerOfIntegers(a, b));
    }
    case MAXIMUM: { return vec4<result>(orNan(a, b, select(b, a, a > b))); }
    case MINIMUM: { return vec4<result>(orNan(a, b, select(b, a, a < b))); }
    case EQ: { return vec4<result>(a == b); }
    // On some adapters a != b is false for NaN.
    case NE: { return vec4<result>(!(a == b)); }
    case LT: { return vec4<result>(a < b); }
    case LE: { return vec4<result>(a <= b); }
    case GT: { return vec4<result>(a > b); }
    case GE: { return vec4<result>(a >= b); }
    case AND: { return vec4<result>(!(a == zero) & !(b == zero)); }
    case OR: { return vec4<result>(!(a == zero) | !(b == zero)); }
    case XOR: { return vec4<result>((a == zero) != (b == zero)); }
    case RELU_GRADIENT: { return vec4<result>(select(a, zero, b <= zero)); }
    case SIGMOID_GRADIENT: { return vec4<result>(a * b * (one - b)); }
    case TANH_GRADIENT: { return vec4<result>(a * (one - b * b)); }
    case ATAN2: { return vec4<result>(orNan(a, b, vec4<element>(angleOf(vec4f(a), vec4f(b))))); }
    case REMAINDER: {
      let rest = restOf(a, b);
      return vec4<result>(select(rest, rest + b, (rest != zero) & ((rest < zero) != (b < zero))));
    }
    case FMOD: { return vec4<result>(restOf(a, b)); }
    default: { return vec4<result>(); }
  }
}

// C's pow. WGSL's is exp2(exponent * log2(base)), which has few digits and no negative bases: integer exponents
// of at most WHOLE multiply instead, which is exact where the result is a float.
const WHOLE: f32 = 128;

fn power(base: vec4f, exponent: vec4f) -> vec4f {
  let whole = (fract(exponent) == vec4f()) & (abs(exponent) <= vec4f(WHOLE));
  var left = vec4u(abs(select(vec4f(), exponent, whole)));
  var product = vec4f(1);
  for (var factor = base; any(left > vec4u()); factor *= factor) {
    product = select(product, product * factor, (left & vec4u(1)) == vec4u(1));
    left = left >> vec4u(1);
  }
  let repeated = select(product, 1 / product, exponent < vec4f());
  // The reciprocal of a denormal product has no digits, and may overflow where the power does not.
  let usable = whole & ((exponent >= vec4f()) | (abs(product) >= vec4f(0x1p-126)) | (base == vec4f()));
  var result = repeated;
  if (!all(usable)) { result = select(realPower(base, exponent), repeated, usable); }
  // The result is 1 for any other operand, NaN included.
  let one = ((exponent == vec4f()) & !isNan(exponent)) | ((base == vec4f(1)) & !isNan(base));
  result = select(select(result, exponent, isNan(exponent)), base, isNan(base));
  return select(result, vec4f(1), one);
}

// Powers with an exponent other than 0, of numbers that are not NaN.
fn realPower(base: vec4f, exponent: vec4f) -> vec4f {
  let size = abs(base);
  let zero = vec4f();
  // Made from the bits of a run-time value: WGSL rejects constants that are not finite.
  let infinity = bitcast<vec4f>((bitcast<vec4u>(base) & vec4u()) | vec4u(INFINITY_BITS));
  let nan = bitcast<vec4f>(bitcast<vec4u>(base) | vec4u(0x7fc00000));
  let endless = (bitcast<vec4u>(exponent) & vec4u(0x7fffffff)) == vec4u(INFINITY_BITS);
  let infinite = bitcast<vec4u>(size) == vec4u(INFINITY_BITS);
  let grows = (exponent > zero) == (size > vec4f(1));
  var magnitude = pow(size, exponent);
  let extreme = (size == zero) | infinite | endless;
  magnitude = select(magnitude, select(zero, infinity, grows), extreme);
  magnitude = select(magnitude, vec4f(1), endless & (size == vec4f(1)));
  // Floats of at least 2^24 are even.
  let isWhole = (floor(exponent) == exponent) | endless;
  let odd = (fract(exponent * 0.5) != zero) & (abs(exponent) < vec4f(0x1p24));
  let negative = (bitcast<vec4u>(base) >> vec4u(31)) == vec4u(1);
  let signed = select(magnitude, -magnitude, odd & isWhole & negative);
  return select(signed, nan, (base < zero) & !infinite & !isWhole);
}

// Powers modulo 2^32. Those of a negative exponent are fractions, which become 0, except for 1 and -1.
fn powerOfIntegers(base: vec4<element>, exponent: vec4<element>) -> vec4<element> {
  let zero = vec4<element>();
  let one = vec4<element>(1);
  var left = vec4u(exponent);
  var product = one;
  for (var factor = base; any(left > vec4u()); factor *= factor) {
    product = select(product, product * factor, (left & vec4u(1)) == vec4u(1));
    left = left >> vec4u(1);
  }
  return select(product, zero, (exponent < zero) & !(base == one) & !(base == zero - one));
}

// The angle of the point (b, a).
fn angleOf(a: vec4f, b: vec4f) -> vec4f {
  let larger = max(abs(a), abs(b));
  // Adapters may take the reciprocal of a number beyond 2^126 for 0.
  let scale = select(vec4f(1), vec4f(0.25), larger > vec4f(0x1p126));
  let quotient = (min(abs(a), abs(b)) * scale) / (larger * scale);
  // Both may be infinite or 0.
  let slope = select(select(quotient, vec4f(1), abs(a) == abs(b)), vec4f(), larger == vec4f());
  let part = arctangent(slope);
  let upper = select(part, 1.57079632 - part, abs(a) > abs(b));
  let size = select(upper, 3.14159265 - upper, isBelow(b));
  return select(size, -size, isBelow(a));
}

// Whether the sign is negative, also that of 0.
fn isBelow(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) >> vec4u(31)) == vec4u(1);
}

// a - b * trunc(a / b), exactly. Of integers it is 0 where b is.
fn restOf(a: vec4<element>, b: vec4<element>) -> vec4<element> {
  if (!FLOAT) { return select(a % b, vec4<element>(), b == vec4<element>()); }
  var rest = vec4<element>();
  for (var i = 0u; i < 4; i++) { rest[i] = element(restOfFloats(bitcast<u32>(a[i]), bitcast<u32>(b[i]))); }
  return rest;
}

// Long division by 8 binary digits at a time: a quotient of floats may have 277 of them.
fn restOfFloats(a: u32, b: u32) -> f32 {
  let dividend = a & 0x7fffffff;
  let divisor = b & 0x7fffffff;
  if (dividend >= INFINITY_BITS || divisor > INFINITY_BITS || divisor == 0) { return bitcast<f32>(a | 0x7fc00000); }
  if (dividend < divisor) { return bitcast<f32>(a); }
  let exponent = max(divisor >> 23, 1u);
  let digits = digitsOf(divisor);
  var rest = digitsOf(dividend) % digits;
  for (var left = max(dividend >> 23, 1u) - exponent; left > 0;) {
    let step = min(left, 8u);
    rest = (rest << step) % digits;
    left -= step;
  }
  let size = f32(rest) * 0x1p-23 * bitcast<f32>(exponent << 23);
  return bitcast<f32>(bitcast<u32>(size) | (a & 0x80000000));
}

// The 24 digits of a positive float.
fn digitsOf(bits: u32) -> u32 {
  return (bits & 0x7fffff) | select(0u, 0x800000u, bits >= 0x800000);
}
