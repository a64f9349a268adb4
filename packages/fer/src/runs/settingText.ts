/** A setting as text, independent of the order of its keys. */
export function settingText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.map(([name, each]) => `${name} ${settingText(each)}`).join(', ');
}
