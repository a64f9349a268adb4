// flow: y[i] = the result of control flow whose loops, branches, functions and arrays depend on x[i].
// threads: one element each.
// reference: packages/tensor/src/device/start/flow.ts does the same.
const LANES: u32 = 64;
const ROWS: u32 = 2;
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

fn next(state: ptr<function, u32>) -> u32 {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

// Loops with run-time bounds, halving, downwards, with steps, and with early exits.
fn loops(seed: u32) -> u32 {
  var sum = 0u;
  for (var i = seed % 5; i < 5 + seed % 7; i += 1 + seed % 2) { sum = sum * 3 + i; }
  for (var half = 64u; half > seed % 9; half /= 2) { sum = sum * 5 + half; }
  var i = 0u;
  while (true) {
    i++;
    if (i % 3 == seed % 3) { continue; }
    if (i > seed % 17) { break; }
    sum = sum * 7 + i;
  }
  return sum;
}

fn choose(kind: u32, value: u32) -> u32 {
  switch kind {
    case 0: { return value + 1; }
    case 1, 2: { return value * 2; }
    case 5: { return value ^ 0x55u; }
    default: { return value - 3; }
  }
}

// Nested arrays with constant bounds, as the accumulators of products; integers, exact in f32.
fn accumulators(seed: u32) -> u32 {
  var state = seed;
  var sums: array<array<vec4f, 2>, ROWS>;
  for (var k = 0u; k < 2 + seed % 2; k++) {
    var left: array<f32, ROWS>;
    var right: array<vec4f, 2>;
    for (var r = 0u; r < ROWS; r++) { left[r] = f32(next(&state) % 16); }
    for (var c = 0u; c < 2; c++) { right[c] = vec4f((vec4u(next(&state)) >> vec4u(0, 4, 8, 12)) % vec4u(16)); }
    for (var r = 0u; r < ROWS; r++) {
      for (var c = 0u; c < 2; c++) { sums[r][c] += left[r] * right[c]; }
    }
  }
  var total = 0u;
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < 2; c++) {
      for (var j = 0u; j < 4; j++) { total = total * 31 + u32(sums[r][c][j]); }
    }
  }
  return total;
}

// An array that is written and read at run-time indices.
fn places(seed: u32) -> u32 {
  var state = seed;
  var list: array<u32, 8>;
  for (var i = 0u; i < 12 + seed % 8; i++) { list[next(&state) % 8] += i * i + 1; }
  var total = 0u;
  for (var i = 0u; i < 8; i++) { total = total * 131 + list[(i * 5 + seed) % 8]; }
  return total;
}

@compute @workgroup_size(LANES)
fn flow(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x * LANES + lane;
  let seed = x[i] >> 4;
  let walked = choose(seed % 6, loops(seed));
  if (i % 7 == 3) {
    y[i] = walked;
    return;
  }
  y[i] = walked ^ accumulators(seed) ^ places(seed);
}
