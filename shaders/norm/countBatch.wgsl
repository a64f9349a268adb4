// batches += 1.
// threads: one.
// reference: num_batches_tracked of PyTorch's BatchNorm.
@group(0) @binding(1) var<storage, read_write> batches: array<i32>;  // one element

@compute @workgroup_size(1)
fn countBatch(@builtin(workgroup_id) group: vec3u) {
  if (all(group == vec3u())) { batches[0] += 1; }
}
