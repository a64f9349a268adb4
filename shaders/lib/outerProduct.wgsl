// Row i of the result is left[i] * right: columns of a mat4x4f here are rows of a matrix in memory.
fn outerProduct(left: vec4f, right: vec4f) -> mat4x4f {
  return mat4x4f(left.x * right, left.y * right, left.z * right, left.w * right);
}
