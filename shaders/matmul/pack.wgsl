// y[b, r, c] = x[b, c, r] with TRANSPOSED, else x[b, r, c]; zero where x has no such row or column: packs operands into
// the layout and sizes that gemm.wgsl reads.
// threads: LANES in a workgroup, a 4 x 4 block of y each.
// uses: lib/grid.wgsl
alias real = f32;                  // f16 halves what a product reads
const TRANSPOSED: bool = false;
const LANES: u32 = 64;
struct Params { batches: u32, rows: u32, columns: u32, xRows: u32, xColumns: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [batches, xRows, xColumns]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<real>>;   // [batches, rows, columns], columns a multiple of 4

fn element(batch: u32, row: u32, column: u32) -> f32 {
  let at = select(vec2u(row, column), vec2u(column, row), TRANSPOSED);
  let inside = at.x < params.xRows && at.y < params.xColumns;
  let value = x[(batch * params.xRows + min(at.x, params.xRows - 1)) * params.xColumns + min(at.y, params.xColumns - 1)];
  return select(0.0, value, inside);
}

@compute @workgroup_size(LANES)
fn pack(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let blocksOfColumns = params.columns / 4;
  let blocksOfRows = (params.rows + 3) / 4;
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.batches * blocksOfRows * blocksOfColumns) { return; }
  let column = id % blocksOfColumns;
  let row = ((id / blocksOfColumns) % blocksOfRows) * 4;
  let batch = id / (blocksOfColumns * blocksOfRows);
  for (var r = row; r < min(row + 4, params.rows); r++) {
    let first = column * 4;
    y[(batch * params.rows + r) * blocksOfColumns + column] = vec4<real>(vec4f(
      element(batch, r, first),
      element(batch, r, first + 1),
      element(batch, r, first + 2),
      element(batch, r, first + 3),
    ));
  }
}
