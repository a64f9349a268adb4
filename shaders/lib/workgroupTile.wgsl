// Products of tiles in workgroup memory, by groups of 8 x 8 threads that own 64 x 64 sums, each thread 8 x 8 of them as four
// matrices. DEPTH values of k at a time lie there, twice: while one half is computed with, the next one is on its way.
const DEPTH: u32 = 8;
const QUADS: u32 = 16;                                          // vec4 in 64 numbers
var<workgroup> aTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]
var<workgroup> bTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]

// Adds the product of the tiles' halves `half` to the sums of the thread whose rows and columns start at quads `up` and `across`.
fn addProduct(sums: ptr<function, array<mat4x4f, 4>>, half: u32, up: u32, across: u32) {
  for (var k = 0u; k < DEPTH; k++) {
    let upper = aTile[half][k * QUADS + up];
    let lower = aTile[half][k * QUADS + up + 1];
    let left = bTile[half][k * QUADS + across];
    let right = bTile[half][k * QUADS + across + 1];
    sums[0] += outerProduct(upper, left);
    sums[1] += outerProduct(upper, right);
    sums[2] += outerProduct(lower, left);
    sums[3] += outerProduct(lower, right);
  }
}
