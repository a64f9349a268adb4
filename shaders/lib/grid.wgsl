// The runtime lays any number of workgroups out in x, y and z under the adapter's limits; this is the way back.
// Ids at or past the wanted count exist: kernels guard by their own sizes.
fn linearGroup(group: vec3u, groups: vec3u) -> u32 {
  return group.x + groups.x * (group.y + groups.y * group.z);
}
