// The matrices of Winograd's minimal filtering F(m x m, 3 x 3): y = A^T [(G g G^T) * (B^T d B)] A, which for windows of 3 and
// m outputs works on points = m + 2. Lavin and Gray (2016); F(4 x 4) on the points 0, 1, -1, 2, -2 and infinity.
const INPUT_2 = array<array<f32, 4>, 4>(
  array<f32, 4>(1, 0, -1, 0),
  array<f32, 4>(0, 1, 1, 0),
  array<f32, 4>(0, -1, 1, 0),
  array<f32, 4>(0, 1, 0, -1),
);
const WEIGHT_2 = array<array<f32, 3>, 4>(
  array<f32, 3>(1, 0, 0),
  array<f32, 3>(0.5, 0.5, 0.5),
  array<f32, 3>(0.5, -0.5, 0.5),
  array<f32, 3>(0, 0, 1),
);
const OUTPUT_2 = array<array<f32, 4>, 2>(
  array<f32, 4>(1, 1, 1, 0),
  array<f32, 4>(0, 1, -1, -1),
);
const INPUT_4 = array<array<f32, 6>, 6>(
  array<f32, 6>(4, 0, -5, 0, 1, 0),
  array<f32, 6>(0, -4, -4, 1, 1, 0),
  array<f32, 6>(0, 4, -4, -1, 1, 0),
  array<f32, 6>(0, -2, -1, 2, 1, 0),
  array<f32, 6>(0, 2, -1, -2, 1, 0),
  array<f32, 6>(0, 4, 0, -5, 0, 1),
);
const WEIGHT_4 = array<array<f32, 3>, 6>(
  array<f32, 3>(0.25, 0, 0),
  array<f32, 3>(-1.0 / 6, -1.0 / 6, -1.0 / 6),
  array<f32, 3>(-1.0 / 6, 1.0 / 6, -1.0 / 6),
  array<f32, 3>(1.0 / 24, 1.0 / 12, 1.0 / 6),
  array<f32, 3>(1.0 / 24, -1.0 / 12, 1.0 / 6),
  array<f32, 3>(0, 0, 1),
);
const OUTPUT_4 = array<array<f32, 6>, 4>(
  array<f32, 6>(1, 1, 1, 1, 1, 0),
  array<f32, 6>(0, 1, -1, 2, -2, 0),
  array<f32, 6>(0, 1, 1, 4, 4, 0),
  array<f32, 6>(0, 1, -1, 8, -8, 1),
);

const INPUT: u32 = 0;     // B^T: points x points
const WEIGHT: u32 = 1;    // G: points x 3
const OUTPUT: u32 = 2;    // A^T: m x points

// One number of a matrix, or of its transpose; constant where m, which and the indices are.
fn winograd(m: u32, which: u32, row: u32, column: u32) -> f32 {
  if (m == 2) {
    switch which {
      case INPUT: { return INPUT_2[row][column]; }
      case WEIGHT: { return WEIGHT_2[row][column]; }
      default: { return OUTPUT_2[row][column]; }
    }
  }
  switch which {
    case INPUT: { return INPUT_4[row][column]; }
    case WEIGHT: { return WEIGHT_4[row][column]; }
    default: { return OUTPUT_4[row][column]; }
  }
}
