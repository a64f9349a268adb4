// y[b, r, c] = x[b, r, c] where c - r <= diagonal, or with UPPER where c - r >= diagonal; else 0. Bits of any four-byte type. The
// bindings are parts of the tensors that begin at element `first`.
// threads: LANES in a workgroup, ELEMENTS consecutive elements each.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const UPPER: bool = false;
const LANES: u32 = 64;
const ELEMENTS: u32 = 4;
struct Params {
  first: u32,
  size: u32,
  rows: u32,
  columns: u32,
  diagonal: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<bits>;        // [batch, rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<bits>;  // [batch, rows, columns]

@compute @workgroup_size(LANES)
fn triangle(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let start = (linearGroup(group, groups) * LANES + lane) * ELEMENTS;
  for (var i = start; i < min(start + ELEMENTS, params.size); i++) {
    let row = (params.first + i) / params.columns;
    let column = params.first + i - row * params.columns;
    let offset = i32(column) - i32(row % params.rows);
    var keeps = offset <= params.diagonal;
    if (UPPER) { keeps = offset >= params.diagonal; }
    y[i] = select(0, x[i], keeps);
  }
}
