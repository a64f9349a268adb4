// integers: y[f, i] = function f of element i of the inputs, in integers of 32 bits.
// threads: one workgroup per function; each lane does one element.
// reference: packages/tensor/src/device/start/integers.ts.
const LANES: u32 = 64;
@group(0) @binding(0) var<storage, read> x: array<u32>;        // [2, LANES]
@group(0) @binding(1) var<storage, read_write> y: array<u32>;  // [functions, LANES]

// The upper half of a product, by halves of 16 bits.
fn mulHigh(a: u32, b: u32) -> u32 {
  let middle = (a >> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >> 16);
  let lower = (a & 0xffff) * (b >> 16) + (middle & 0xffff);
  return (a >> 16) * (b >> 16) + (middle >> 16) + (lower >> 16);
}

@compute @workgroup_size(LANES)
fn integers(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let a = x[lane];
  let b = x[LANES + lane];
  let shift = (b >> 7) % 32;
  let divisor = (b >> (a % 32)) | 1;
  var value = 0xffffffffu;
  switch group.x {
    case 0: { value = a + b; }
    case 1: { value = a - b; }
    case 2: { value = a * b; }
    case 3: { value = a / divisor; }
    case 4: { value = a % divisor; }
    case 5: { value = a >> shift; }
    case 6: { value = a << shift; }
    case 7: { value = (a >> 1) + (a >> 16) + (a >> 31) + (a << 3); }
    case 8: { value = (a & b) ^ (a | ~b); }
    case 9: { value = mulHigh(a, b); }
    case 10: { value = (0xd2511f53u * a) ^ (12345u * b); }
    case 11: { value = min(a, b); }
    case 12: { value = max(a, b); }
    case 13: { value = bitcast<u32>(max(bitcast<i32>(a), bitcast<i32>(b)) - min(bitcast<i32>(a), 7)); }
    case 14: { value = bitcast<u32>(bitcast<i32>(a) / 9 - bitcast<i32>(b) % 11); }
    case 15: { value = select(a, b, a < b) + select(0u, 1u, a + b < a); }
    case 16: { value = select(0u, 1u, bitcast<i32>(a) < bitcast<i32>(b)) + select(0u, 2u, a >= b); }
    case 17: { value = bitcast<u32>(f32(a >> 8) * 0x1p-24); }
    case 18: { value = u32(f32(a >> 9) * 0.5); }
    case 19: { value = u32(i32(f32(bitcast<i32>(a) / 512))); }
    case 20: { value = clamp(a, 5u, 5u + (b >> 1)) + countOneBits(a) + u32(a > b); }
    case 21: {
      let v = vec4u(a, b, a ^ b, a >> 3);
      value = dot(v, v.yzwx) + dot(vec4u(v > vec4u(b)), vec4u(1)) + v[lane % 4];
    }
    default: {}
  }
  y[group.x * LANES + lane] = value;
}
