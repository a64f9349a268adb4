// The runtime distributes any number of workgroups over x, y and z under the adapter's limits; this restores the linear id.
// There may be more workgroups than requested: kernels check ids against their sizes.
fn linearGroup(group: vec3u, groups: vec3u) -> u32 {
  return group.x + groups.x * (group.y + groups.y * group.z);
}
