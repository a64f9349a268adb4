// y[r, s] = x[r, s] where key s <= query r mod L, else `params.outside`, as bits: scores of queries by keys, of which a query
// takes those up to its position.
// threads: LANES in a workgroup, one score each.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 256;
struct Params { firstRow: u32, rows: u32, queries: u32, keys: u32, outside: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<bits>;        // [rows, keys], from row firstRow
@group(0) @binding(2) var<storage, read_write> y: array<bits>;  // [rows, keys]

@compute @workgroup_size(LANES)
fn maskCausal(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.rows * params.keys) { return; }
  let query = (params.firstRow + id / params.keys) % params.queries;
  y[id] = select(params.outside, x[id], id % params.keys <= query);
}
