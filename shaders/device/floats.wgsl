// floats: y[f, i] = function f of element i of the inputs: every function and operator on floats that kernels use.
// threads: one workgroup per function; each lane does one element. One vec4 a lane would take four times as long to compile.
// reference: packages/tensor/src/device/start/floats.ts, in float64; bounds are those of the WGSL specification, section 15.7.4.
const LANES: u32 = 64;
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [4, LANES]: a, b, positive c, special d
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [functions, LANES]

fn code(condition: bool, weight: f32) -> f32 {
  return select(0, weight, condition);
}

@compute @workgroup_size(LANES)
fn floats(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let a = x[lane];
  let b = x[LANES + lane];
  let c = x[2 * LANES + lane];
  let d = x[3 * LANES + lane];
  var value = -1.0;
  switch group.x {
    case 0: { value = a + b; }
    case 1: { value = a - b; }
    case 2: { value = a * b; }
    case 3: { value = a / c; }
    case 4: { value = a * b + c; }
    case 5: { value = fma(a, b, c); }
    case 6: { value = exp(a); }
    case 7: { value = log(c); }
    case 8: { value = sqrt(c); }
    case 9: { value = inverseSqrt(c); }
    case 10: { value = pow(c, b); }
    case 11: { value = 1 / c; }
    case 12: { value = min(a, b); }
    case 13: { value = max(a, b); }
    case 14: { value = clamp(a, min(b, c), max(b, c)); }
    case 15: { value = abs(a); }
    case 16: { value = sign(a); }
    case 17: { value = floor(a); }
    case 18: { value = ceil(a); }
    case 19: { value = round(a); }
    case 20: { value = fract(a); }
    case 21: { value = select(a, b, c > 1); }
    case 22: { value = code(a < b, 1) + code(a <= b, 2) + code(a > b, 4) + code(a >= b, 8) + code(a == b, 16) + code(a != b, 32); }
    case 23: { value = f32((bitcast<u32>(d) & 0x7fffffffu) > 0x7f800000u); }
    case 24: { value = f32(i32(a)) + f32(u32(c)); }
    case 25: { value = -a; }
    case 26: {
      let u = vec4f(a, b, c, -b);
      let v = u.zxxy;
      let w = max(u.wzyx, v) - u;
      let above = u > v;
      value = dot(u, v) + w[lane % 4] + code(any(above), 1000) + code(all(above), 2000) + select(u, v, above).y;
    }
    case 27: {
      var sum = vec4f();
      for (var k = 0u; k < 3 + lane % 4; k++) { sum += vec4f(a, b, c, -b) * x[LANES + (lane + 3 * k) % LANES]; }
      value = sum[lane % 4];
    }
    default: {}
  }
  y[group.x * LANES + lane] = value;
}
