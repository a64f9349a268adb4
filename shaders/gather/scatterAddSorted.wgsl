// y[o, l, i] = sum of x[o, j, i] over the j with index[o, j, i] == l, for indices that are sorted: equal ones are neighbors, in the
// order of j. An index outside adds `params.outside` to every l. ADDING adds to what y holds.
// threads: LANES in a workgroup, one element of y each, which finds its indices by bisection.
// uses: lib/grid.wgsl
alias element = f32;
const ADDING: bool = false;
const LANES: u32 = 64;
const BLOCK: u32 = 512;  // rows per block, as in scatterAdd
struct Params {
  size: u32,
  length: u32,
  inner: u32,
  count: u32,
  indexOuter: u32,
  indexInner: u32,
  outside: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<element>;        // [outer, count, inner]
@group(0) @binding(2) var<storage, read> keys: array<u32>;         // [indexOuter, indexInner, count]
@group(0) @binding(3) var<storage, read> order: array<u32>;        // [indexOuter, indexInner, count]
@group(0) @binding(4) var<storage, read_write> y: array<element>;  // [outer, length, inner]

@compute @workgroup_size(LANES)
fn scatterAddSorted(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.size) { return; }
  let i = id % params.inner;
  let place = (id / params.inner) % params.length;
  let outer = id / (params.inner * params.length);
  let column = (min(outer, params.indexOuter - 1) * params.indexInner + min(i, params.indexInner - 1)) * params.count;
  let start = countBelow(column, place);
  let end = countBelow(column, place + 1);
  var sum = element(0);
  if (ADDING) { sum = y[id]; }
  for (var far = start; far < end; far += BLOCK * BLOCK) {
    var ofBlocks = element(0);
    for (var block = far; block < min(far + BLOCK * BLOCK, end); block += BLOCK) {
      var ofRows = element(0);
      for (var at = block; at < min(block + BLOCK, end); at++) {
        ofRows += x[(outer * params.count + order[column + at]) * params.inner + i];
      }
      ofBlocks += ofRows;
    }
    sum += ofBlocks;
  }
  if (keys[column + params.count - 1] >= params.length) { sum += bitcast<element>(params.outside); }
  y[id] = sum;
}

// The number of keys below `limit` in a column.
fn countBelow(column: u32, limit: u32) -> u32 {
  var low = 0u;
  var high = params.count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (keys[column + middle] < limit) { low = middle + 1; } else { high = middle; }
  }
  return low;
}
