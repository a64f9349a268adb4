// Tiles in workgroup memory, for workgroups of 8 x 8 threads that own 64 x 64 sums. They hold DEPTH values of k twice (double
// buffer): while one half is used, the next one is loaded. Thread (up, across) owns the rows of quads `up` and `up + APART` and the
// columns of quads `across` and `across + APART`: neighboring threads read and store neighboring quads, without bank conflicts. The
// loop over k is in each kernel's entry point, where the compiler can prove that no index is out of bounds.
const DEPTH: u32 = 8;
const QUADS: u32 = 16;                                          // vec4 in 64 numbers
const APART: u32 = QUADS / 2;
var<workgroup> aTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]
var<workgroup> bTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]
