// The arctangent of t in [0, 1], within 3e-8 before rounding: Moshier's Cephes library, atanf.
fn arctangent(t: vec4f) -> vec4f {
  let upper = t > vec4f(0.41421356);  // tan(pi / 8)
  let z = select(t, (t - 1) / (t + 1), upper);
  let s = z * z;
  let series = -3.33329491539e-1 + s * (1.99777106478e-1 + s * (-1.38776856032e-1 + s * 8.05374449538e-2));
  let y = z + z * s * series;
  return select(y, y + 0.78539816, upper);
}
