// The upper half of a product, by halves of 16 bits.
fn mulHigh(a: u32, b: u32) -> u32 {
  let middle = (a >> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >> 16);
  let lower = (a & 0xffff) * (b >> 16) + (middle & 0xffff);
  return (a >> 16) * (b >> 16) + (middle >> 16) + (lower >> 16);
}
