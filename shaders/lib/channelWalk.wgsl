// The values of one channel of [N, channels, inner] as vec4 of the flat tensor, every LANES-th to a lane, found without a
// division per step. A plane may begin inside a vec4: `inPlane` marks the components that belong to it.
// The kernel declares `const ALIGNED` (inner is a multiple of 4), `const LANES`, and in `params` channels, inner, windows (the vec4
// that a plane can touch), strideImages (LANES / windows) and strideRest (LANES % windows).
struct Walk {
  start: u32,   // the first element of the plane
  window: u32,  // which of its vec4
}

fn beginWalk(channel: u32, e: u32) -> Walk {
  return Walk(((e / params.windows) * params.channels + channel) * params.inner, e % params.windows);
}

fn nextWalk(walk: Walk) -> Walk {
  var next = Walk(walk.start + params.strideImages * params.channels * params.inner, walk.window + params.strideRest);
  if (next.window >= params.windows) {
    next.window -= params.windows;
    next.start += params.channels * params.inner;
  }
  return next;
}

fn vectorOf(walk: Walk) -> u32 {
  return walk.start / 4 + walk.window;
}

fn inPlane(walk: Walk, counts: bool) -> vec4<bool> {
  if (ALIGNED) { return vec4<bool>(counts); }
  // Positions before the plane wrap to large numbers.
  let place = vec4u(0, 1, 2, 3) + 4 * walk.window - walk.start % 4;
  return place < vec4u(select(0, params.inner, counts));
}
