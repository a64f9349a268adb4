// Rows of planes x [N * C, H, W] as 3-wide windows one padding wide, STRIDE apart: columns s = 0, 1, 2 of the matrix are
// x[row, column + s], x[row, column + STRIDE + s], ... Outside of a plane all is zero; -1 is the wrapped number.
// The kernel declares `x`, `params.input` (H, W) and `STRIDE` (1 or 2).

fn elementOrZero(start: u32, column: u32) -> f32 {
  return select(0.0, x[start + min(column, params.input.y - 1)], column < params.input.y);
}

fn fourFrom(start: u32, column: u32) -> vec4f {
  return vec4f(
    elementOrZero(start, column),
    elementOrZero(start, column + 1),
    elementOrZero(start, column + 2),
    elementOrZero(start, column + 3),
  );
}

fn windows(plane: u32, row: u32, column: u32) -> mat3x4f {
  if (row >= params.input.x) { return mat3x4f(); }
  let start = (plane * params.input.x + row) * params.input.y;
  let near = fourFrom(start, column);
  if (STRIDE == 1) {
    let far = vec2f(elementOrZero(start, column + 4), elementOrZero(start, column + 5));
    return mat3x4f(near, vec4f(near.yzw, far.x), vec4f(near.zw, far));
  }
  let far = fourFrom(start, column + 4);
  let even = vec4f(near.xz, far.xz);
  return mat3x4f(even, vec4f(near.yw, far.yw), vec4f(even.yzw, elementOrZero(start, column + 8)));
}
