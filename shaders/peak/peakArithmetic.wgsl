// y[i] = the sum of CHAINS sequences a := a * factor + step, of TRIPS * STEPS steps each, kept in registers: measures the
// adapter's peak rate. STEPS and CHAINS are few enough to be unrolled and to stay in 16 registers.
// threads: LANES in a workgroup, a vec4 each.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
const CHAINS: u32 = 2;
const STEPS: u32 = 32;
const TRIPS: u32 = 32;
struct Params { factor: f32, step: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;  // one vec4 per thread

@compute @workgroup_size(LANES)
fn peakArithmetic(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  let factor = vec4f(params.factor);
  let step = vec4f(params.step);
  var chains: array<vec4f, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) { chains[c] = vec4f(f32(c + lane)); }
  for (var trip = 0u; trip < TRIPS; trip++) {
    for (var s = 0u; s < STEPS; s++) {
      for (var c = 0u; c < CHAINS; c++) { chains[c] = fma(chains[c], factor, step); }
    }
  }
  var sum = vec4f();
  for (var c = 0u; c < CHAINS; c++) { sum += chains[c]; }
  if (id < arrayLength(&y)) { y[id] = sum; }
}
