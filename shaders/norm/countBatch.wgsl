// batches += 1.
// threads: one.
// reference: num_batches_tracked of PyTorch's BatchNorm.
@group(0) @binding(1) var<storage, read_write> batches: array<i32>;  // one element

@compute @workgroup_size(1)
fn countBatch() {
  batches[0] += 1;
}
