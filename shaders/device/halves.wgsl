enable f16;
// halves: h = x rounded to f16 and y = h * h + x, in f32.
// threads: one element each.
// reference: packages/tensor/src/device/start/halves.ts.
const LANES: u32 = 64;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> h: array<f16>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(LANES)
fn halves(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * LANES + lane;
  let half = f16(x[i]);
  h[i] = half;
  y[i] = f32(half) * f32(half) + x[i];
}
