// The epilogue that kernels apply to a result as they store it, by `kind`: none; + the channel's bias; batch normalization by the
// channel's given statistics; the same + the previous content of the result's place. Then, if requested, max(., 0).
// The kernel declares `bias`: [channels], and `statistics`: [channels] of (mean, inverse deviation, scale, shift).
const NOTHING: u32 = 0;
const BIAS: u32 = 1;
const NORM: u32 = 2;
const NORM_SUM: u32 = 3;

// The parameters of a channel. The mean is subtracted first, since v * scale + shift would lose digits far from zero.
struct Channel { offset: f32, scale: f32, shift: f32 }

fn channelAt(kind: u32, channel: u32) -> Channel {
  if (kind >= NORM) {
    let s = statistics[channel];
    return Channel(-s.x, s.z, s.w);
  }
  if (kind == BIAS) { return Channel(bias[channel], 1, 0); }
  return Channel(0, 1, 0);
}

// max(v, 0), and NaN for NaN: its bits are tested, since compilers may assume that there is none.
fn relu(v: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffff)) > vec4u(0x7f800000);
  return select(max(v, vec4f()), v, isNan);
}

// Four results of one channel; `before` is the previous content of their place.
fn finished(kind: u32, results: vec4f, channel: Channel, before: vec4f, withRelu: bool) -> vec4f {
  var v = results;
  if (kind >= BIAS) { v += channel.offset; }
  if (kind >= NORM) { v = v * channel.scale + channel.shift; }
  if (kind == NORM_SUM) { v += before; }
  return select(v, relu(v), withRelu);
}
