// y[o, l, i] = sum of x[o, j, i] over the j with index[o, j, i] == l: the gradient of gather, without atomics, in a fixed order.
// An index outside adds `params.outside` to every l. The bindings are windows of the tensors; ADDING adds to what y holds.
// threads: LANES in a workgroup, one element of y each, which reads every index of its column.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
alias element = f32;
const ADDING: bool = false;
const LANES: u32 = 64;
const BLOCK: u32 = 512;  // rows per block: blocks are summed separately, so that no chain of additions is long
struct Params {
  length: u32,
  inner: u32,
  count: u32,
  indexCount: u32,
  indexInner: u32,
  outside: u32,
  xFirst: u32,
  xSize: u32,
  indexFirst: u32,
  yFirst: u32,
  ySize: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<element>;     // [outer, count, inner]
@group(0) @binding(2) var<storage, read> index: array<bits>;    // [outer or 1, count, indexInner]
@group(0) @binding(3) var<storage, read_write> y: array<element>;  // [outer, length, inner]

@compute @workgroup_size(LANES)
fn scatterAdd(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.ySize) { return; }
  let inner = params.inner;
  let i = (params.yFirst + id) % inner;
  let place = ((params.yFirst + id) / inner) % params.length;
  let outer = (params.yFirst + id) / (inner * params.length);
  let first = outer * params.count;
  // The rows whose element i is in the window of x.
  let start = max(first, (params.xFirst + inner - 1 - i) / inner);
  let end = min(first + params.count, (params.xFirst + params.xSize + inner - 1 - i) / inner);
  let skipped = outer * (params.count - params.indexCount);
  let column = min(i, params.indexInner - 1) - params.indexFirst;
  var sum = element(0);
  if (ADDING) { sum = y[id]; }
  for (var far = start; far < end; far += BLOCK * BLOCK) {
    var ofBlocks = element(0);
    for (var block = far; block < min(far + BLOCK * BLOCK, end); block += BLOCK) {
      let blockEnd = min(block + BLOCK, end);
      var ofRows = element(0);
      for (var row = block; row < blockEnd; row++) {
        let found = index[(row - skipped) * params.indexInner + column];
        if (found == place) { ofRows += x[row * inner + i - params.xFirst]; }
        if (found >= params.length) { ofRows += bitcast<element>(params.outside); }
      }
      ofBlocks += ofRows;
    }
    sum += ofBlocks;
  }
  y[id] = sum;
}
