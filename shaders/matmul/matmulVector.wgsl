// y[b, s, r, n] = sum_k x[b, r, k] * w[b, k, n], with the epilogue (lib/epilogue.wgsl), split s of the sum taking `chunk` values of
// k: a few rows times a large matrix, which is read once, as vec4 and in its stored layout.
// threads: a workgroup owns all rows of 4 ACROSS columns, a lane 4 of them; ALONG lanes of the same columns take turns along the
// depth, 4 values of k at a time, and their sums are added up at the end. Neighboring lanes read neighboring values.
// uses: lib/grid.wgsl, lib/epilogue.wgsl
const TRANSPOSED: bool = false;               // w is stored [N, K]
const ALIGNED: bool = true;                   // rows of w as stored are multiples of 4: it is read as vec4
const ROWS: u32 = 4;                          // at least params.rows
const ACROSS: u32 = 8;
const ALONG: u32 = 8;
const LANES: u32 = ACROSS * ALONG;
struct Params {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  depth: u32,
  chunk: u32,        // a multiple of 4
  xBatch: u32,       // from one x to the next, in vec4
  wStep: u32,        // from one row of w as stored to the next
  wBatch: u32,
  yRow: u32,
  yColumn: u32,
  yBatch: u32,       // from one split to the next; the splits of a matrix are consecutive
  biasRow: u32,      // 1 where rows are channels
  biasColumn: u32,   // 1 where columns are channels
  finish: u32,       // a kind of epilogue (lib/epilogue.wgsl)
  relu: u32,         // 1 to apply max(., 0) last
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // [batches, rows, K], K padded by zeros
@group(0) @binding(2) var<storage, read> w: array<f32>;           // [batches, K, N] or [batches, N, K]
@group(0) @binding(3) var<storage, read> wQuads: array<vec4f>;    // instead of w, with ALIGNED
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;     // [batches, splits, rows, N]
var<workgroup> partSums: array<vec4f, LANES * ROWS>;              // [ALONG, ROWS, ACROSS]

// Four numbers of w as it is stored, of which the first `inside` count.
fn quad(at: u32, inside: u32) -> vec4f {
  if (ALIGNED) { return select(vec4f(), wQuads[at / 4], inside > 0); }
  let numbers = vec4f(w[at], w[at + 1], w[at + 2], w[at + 3]);
  return select(vec4f(), numbers, vec4u(0, 1, 2, 3) < vec4u(inside));
}

// Rows of w as stored: for k, k + 1, ... the columns from n, or with TRANSPOSED for n, n + 1, ... the values from k.
// Zero past the end of K, where x is zero too, but w might be infinite; columns past the end are not stored.
fn block(matrix: u32, k: u32, n: u32) -> mat4x4f {
  var lines: mat4x4f;
  for (var i = 0u; i < 4; i++) {
    if (TRANSPOSED) {
      lines[i] = quad(matrix + min(n + i, params.columns - 1) * params.wStep + k, params.depth - k);
    } else {
      lines[i] = quad(matrix + (k + i) * params.wStep + n, select(0u, 4u, k + i < params.depth));
    }
  }
  return lines;
}

fn store(matrix: u32, row: u32, column: u32, sums: vec4f) {
  if (row >= params.rows) { return; }
  for (var j = 0u; j < min(4, params.columns - min(column, params.columns)); j++) {
    let at = matrix * params.yBatch + row * params.yRow + (column + j) * params.yColumn;
    let kind = select(params.finish, NOTHING, matrix % params.splits > 0);
    let channel = channelAt(kind, row * params.biasRow + (column + j) * params.biasColumn);
    y[at] = finished(kind, vec4f(sums[j]), channel, vec4f(y[at]), params.relu == 1).x;
  }
}

@compute @workgroup_size(LANES)
fn matmulVector(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let tiles = (params.columns + 4 * ACROSS - 1) / (4 * ACROSS);
  let matrix = id / tiles;
  if (matrix >= params.batches * params.splits) { return; }
  let across = select(lane % ACROSS, lane / ALONG, TRANSPOSED);
  let along = select(lane / ACROSS, lane % ALONG, TRANSPOSED);
  let column = 4 * ((id % tiles) * ACROSS + across);
  let batch = matrix / params.splits;
  let firstK = (matrix % params.splits) * params.chunk;
  let rowStep = (params.depth + 3) / 4;

  var sums: array<vec4f, ROWS>;
  if (column < params.columns) {
    for (var k = firstK + 4 * along; k < min(firstK + params.chunk, params.depth); k += 4 * ALONG) {
      let factors = block(batch * params.wBatch, k, column);
      for (var r = 0u; r < ROWS; r++) {
        let values = x[batch * params.xBatch + min(r, params.rows - 1) * rowStep + k / 4];
        if (TRANSPOSED) { sums[r] += values * factors; } else { sums[r] += factors * values; }
      }
    }
  }
  if (ALONG == 1) {
    for (var r = 0u; r < ROWS; r++) { store(matrix, r, column, sums[r]); }
    return;
  }
  for (var r = 0u; r < ROWS; r++) { partSums[(along * ROWS + r) * ACROSS + across] = sums[r]; }
  workgroupBarrier();
  for (var slot = lane; slot < ROWS * ACROSS; slot += LANES) {
    var sum = partSums[slot];
    for (var other = 1u; other < ALONG; other++) { sum += partSums[other * ROWS * ACROSS + slot]; }
    store(matrix, slot / ACROSS, 4 * ((id % tiles) * ACROSS + slot % ACROSS), sum);
  }
}
