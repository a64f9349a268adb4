// chain: y[i] = x[i] * factor + y[i] * 3 + step + g, where thread i is in group g of a grid of any shape.
// threads: LANES in a workgroup, of which all or only the first work; ids past the end do nothing. The result of a chain of
// these depends on each of them, on their order, and on each running once.
// reference: packages/tensor/src/device/start/chain.ts.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params { count: u32, factor: u32, step: u32, lanes: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(LANES)
fn chain(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let g = linearGroup(group, groups);
  let i = g * params.lanes + lane;
  if (lane < params.lanes && i < params.count) { y[i] = x[i] * params.factor + y[i] * 3 + params.step + g; }
}
