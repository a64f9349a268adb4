// Merges neighboring runs of `params.run` sorted keys in each column; those of the first run precede equal ones of the second.
// threads: LANES in a workgroup, one key each, which is moved by the number of keys before it in the other run.
// uses: lib/grid.wgsl
const LANES: u32 = 64;
struct Params {
  size: u32,
  count: u32,
  run: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>;   // [columns, count]
@group(0) @binding(2) var<storage, read> order: array<u32>;  // [columns, count]
@group(0) @binding(3) var<storage, read_write> mergedKeys: array<u32>;   // [columns, count]
@group(0) @binding(4) var<storage, read_write> mergedOrder: array<u32>;  // [columns, count]

@compute @workgroup_size(LANES)
fn mergeRuns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = linearGroup(group, groups) * LANES + lane;
  if (id >= params.size) { return; }
  let place = id % params.count;
  let column = id - place;
  let isSecond = (place / params.run) % 2 == 1;
  let own = place - place % params.run;
  let first = select(own, own - params.run, isSecond);
  let second = min(first + params.run, params.count);
  let end = min(second + params.run, params.count);
  let start = select(second, first, isSecond);
  var low = start;
  var high = select(end, second, isSecond);
  let key = keys[id];
  while (low < high) {
    let middle = (low + high) / 2;
    let other = keys[column + middle];
    if (other < key || (isSecond && other == key)) { low = middle + 1; } else { high = middle; }
  }
  let at = column + first + place - own + low - start;
  mergedKeys[at] = key;
  mergedOrder[at] = order[id];
}
