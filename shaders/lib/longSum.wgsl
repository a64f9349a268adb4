// The sum of terms by one thread: one by one, or, with the kernel's `const LONG`, of up to 2^32 terms by levels. Each level
// adds up LEVEL sums of the level below, so that no chain of additions is longer than that: the error stays under 4 LEVEL 2^-24
// of the sum of magnitudes, where one chain of n terms has n 2^-24 and stops growing at 2^24.
// reference: Blanchard, Higham and Mary (2020), blocked summation, with levels for blocks.
const LEVEL: u32 = 256;

struct LongSum { levels: vec4f, count: u32 }

fn addTerm(sum: ptr<function, LongSum>, term: f32) {
  (*sum).levels.x += term;
  if (LONG) {
    (*sum).count += 1;
    if ((*sum).count % LEVEL == 0) { carryLevels(sum); }
  }
}

fn carryLevels(sum: ptr<function, LongSum>) {
  let levels = (*sum).levels;
  (*sum).levels = vec4f(0, levels.y + levels.x, levels.zw);
  if ((*sum).count % (LEVEL * LEVEL) == 0) { (*sum).levels = vec4f(0, 0, levels.z + (levels.y + levels.x), levels.w); }
  if ((*sum).count % (LEVEL * LEVEL * LEVEL) == 0) {
    (*sum).levels = vec4f(0, 0, 0, levels.w + (levels.z + (levels.y + levels.x)));
  }
}

fn totalOf(sum: LongSum) -> f32 {
  return (sum.levels.x + sum.levels.y) + (sum.levels.z + sum.levels.w);
}
