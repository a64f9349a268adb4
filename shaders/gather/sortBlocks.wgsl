// Sorts blocks of LANES indices of each column, equal ones in their order: keys are the sorted indices, order their places.
// threads: LANES in a workgroup, one index each, whose rank is the number of those before it. A workgroup sorts one block.
// reference: Knuth, The Art of Computer Programming 3, 5.2, comparison counting.
// uses: lib/grid.wgsl
alias bits = u32;  // of any dtype
const LANES: u32 = 256;
struct Params {
  columns: u32,
  count: u32,
  indexInner: u32,
  blocks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<bits>;  // [columns / indexInner, count, indexInner]
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;   // [columns, count]
@group(0) @binding(3) var<storage, read_write> order: array<u32>;  // [columns, count]

var<workgroup> block: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn sortBlocks(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups);
  let column = id / params.blocks;
  let first = (id % params.blocks) * LANES;
  let place = first + lane;
  let isInside = column < params.columns && place < params.count;
  var key = 0u;
  if (isInside) {
    let outer = column / params.indexInner;
    key = index[(outer * params.count + place) * params.indexInner + column % params.indexInner];
  }
  block[lane] = key;
  workgroupBarrier();
  if (!isInside) { return; }
  var rank = 0u;
  for (var other = 0u; other < min(LANES, params.count - first); other++) {
    let precedes = block[other] < key || (block[other] == key && other < lane);
    rank += select(0u, 1u, precedes);
  }
  let at = column * params.count + first + rank;
  keys[at] = key;
  order[at] = place;
}
