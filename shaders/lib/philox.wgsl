// Philox4x32-10: four random words from a counter and a key (Salmon et al., 2011). Kernels that use it use lib/wideProduct.wgsl too.
fn philox(start: vec4u, startKey: vec2u) -> vec4u {
  var counter = start;
  var key = startKey;
  for (var round = 0; round < 10; round++) {
    let low0 = 0xd2511f53u * counter.x;
    let high0 = mulHigh(0xd2511f53u, counter.x);
    let low1 = 0xcd9e8d57u * counter.z;
    let high1 = mulHigh(0xcd9e8d57u, counter.z);
    counter = vec4u(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// The words of block number first + block; first.x is the lower half of `first`.
fn wordsOf(first: vec2u, block: u32, key: vec2u) -> vec4u {
  let low = first.x + block;
  return philox(vec4u(low, first.y + select(0u, 1u, low < block), 0, 0), key);
}

// Multiples of 2^-24 in [0, 1).
fn uniform4(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8)) * 0x1p-24;
}
