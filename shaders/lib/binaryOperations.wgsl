// The binary elementwise family: one case an operation. The kernel that uses this declares `alias element`,
// `alias result` and `const OP`; the compiler folds the switch.
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

fn binaryOperation(a: vec4<element>, b: vec4<element>) -> vec4<result> {
  let zero = vec4<element>();
  let one = vec4<element>(1);
  switch OP {
    case ADD: { return vec4<result>(a + b); }
    case SUB: { return vec4<result>(a - b); }
    case MUL: { return vec4<result>(a * b); }
    case DIV: { return vec4<result>(a / b); }
    case POW: { return vec4<result>(power(vec4f(a), vec4f(b))); }
    // A comparison with NaN is false; a + b is NaN when either is.
    case MAXIMUM: { return vec4<result>(select(select(a + b, b, b >= a), a, a > b)); }
    case MINIMUM: { return vec4<result>(select(select(a + b, b, b <= a), a, a < b)); }
    case EQ: { return vec4<result>(a == b); }
    // Some adapters answer a != b with false for NaN.
    case NE: { return vec4<result>(!(a == b)); }
    case LT: { return vec4<result>(a < b); }
    case LE: { return vec4<result>(a <= b); }
    case GT: { return vec4<result>(a > b); }
    case GE: { return vec4<result>(a >= b); }
    case AND: { return vec4<result>(!(a == zero) & !(b == zero)); }
    case OR: { return vec4<result>(!(a == zero) | !(b == zero)); }
    case XOR: { return vec4<result>((a == zero) != (b == zero)); }
    case RELU_GRADIENT: { return vec4<result>(select(zero, a, b > zero)); }
    case SIGMOID_GRADIENT: { return vec4<result>(a * b * (one - b)); }
    case TANH_GRADIENT: { return vec4<result>(a * (one - b * b)); }
    default: { return vec4<result>(); }
  }
}

// WGSL's pow knows no negative base: C's rules, a negative base with an integer exponent included.
fn power(base: vec4f, exponent: vec4f) -> vec4f {
  // Some adapters give 0 for a negative exponent of 0.
  let pole = (base == vec4f()) & (exponent < vec4f());
  let magnitude = select(pow(abs(base), exponent), 1 / abs(base), pole);
  let odd = fract(exponent * 0.5) != vec4f();
  let signed = select(magnitude, -magnitude, odd & (base < vec4f()));
  // 0 / 0 at run time is NaN on every adapter seen; a constant would not compile.
  let nan = (base - base) / (base - base);
  let defined = select(nan, signed, (base >= vec4f()) | (fract(exponent) == vec4f()));
  return select(defined, vec4f(1), (exponent == vec4f()) | (base == vec4f(1)));
}
