// Tiles in workgroup memory, for groups of 8 x 8 threads that own 64 x 64 sums. DEPTH values of k at a time are there, twice: while
// one half is computed with, the next one is loaded. Thread (up, across) owns the rows of quads `up` and `up + APART` and the columns
// of quads `across` and `across + APART`: neighboring threads read and store neighboring quads, without bank conflicts.
// The loop over k is in each kernel's entry point: only there does the compiler see that no index is out of bounds.
const DEPTH: u32 = 8;
const QUADS: u32 = 16;                                          // vec4 in 64 numbers
const APART: u32 = QUADS / 2;
var<workgroup> aTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]
var<workgroup> bTile: array<array<vec4f, DEPTH * QUADS>, 2>;    // [2, DEPTH, 64]
