// knownAnswer: y[i] = 0.5 i + 64 h(63 - i), h(i) = (i * 2654435761 + 12345) >> 26, exact in float32.
// threads: one workgroup of 64; each thread hashes its own id and reads its mirror's.
// reference: the multiplier is Knuth's (The Art of Computer Programming, volume 3, section 6.4).
const LANES: u32 = 64;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;  // [64]

var<workgroup> hashes: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn knownAnswer(@builtin(local_invocation_index) lane: u32) {
  hashes[lane] = (lane * 2654435761u + 12345u) >> 26u;
  workgroupBarrier();
  y[lane] = 0.5 * f32(lane) + 64.0 * f32(hashes[LANES - 1 - lane]);
}
