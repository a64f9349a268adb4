// The style of a report's page: light, dark, and on paper.

/** CSS of the page. Figures are drawn for a white background; dark screens invert them and keep hues and faces. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --quiet: #6b7280; --line: #e5e7eb; --paper: #fff; --back: #f6f7f9; --accent: #d9480f; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --quiet: #9aa3af; --line: #2d333b; --paper: #171a1f; --back: #0f1115; --accent: #ff8c55; }
  figure svg { filter: invert(0.906) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
header { padding: 0 4px 8px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 14px; }
h2 { font-size: 19px; margin: 0 0 14px; }
p { margin: 0 0 12px; }
.kind { color: var(--quiet); margin: 0; }
.big { font-size: 46px; font-weight: 650; line-height: 1.15; margin: 0 0 6px; color: var(--accent); }
.big span { font-size: 18px; font-weight: 400; color: var(--quiet); margin-left: 8px; white-space: nowrap; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 22px 24px; margin-top: 18px; }
section > :last-child { margin-bottom: 0; }
figure { margin: 0 0 8px; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0 0 14px; }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); text-align: right; vertical-align: baseline; }
tr:last-child > * { border-bottom: 0; }
tfoot > tr > * { border-top: 1px solid var(--text); }
th:first-child { text-align: left; padding-left: 0; font-weight: 500; }
thead th { color: var(--quiet); font-weight: 400; }
.figures td:nth-child(2) { font-weight: 650; white-space: nowrap; }
.figures .note, .settings td { text-align: left; }
.settings { width: 100%; }
.settings th { white-space: nowrap; width: 1%; }
.settings td { overflow-wrap: anywhere; }
.note, .quiet { color: var(--quiet); }
.quiet { font-size: 14px; }
.classes { margin: 12px auto; }
ul { margin: 0; padding-left: 20px; }
li { margin-bottom: 7px; }
pre { background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.faces { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 18px 14px; font-size: 14px; line-height: 1.4; }
.faces li { margin: 0; break-inside: avoid; }
.faces img { display: block; border-radius: 6px; margin-bottom: 6px; }
.faces span { color: var(--quiet); }
@media (max-width: 640px) { section { padding: 16px 14px; overflow-x: auto; } th, td { padding: 5px 7px; } }
@media print {
  :root { color-scheme: light; --text: #000; --quiet: #555; --line: #ccc; --paper: #fff; --back: #fff; --accent: #b23a08; }
  body { font-size: 11pt; } main { padding: 0; max-width: none; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 14px 0; }
  figure svg { filter: none; max-height: 15cm; } figure, table, pre, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .faces { grid-template-columns: repeat(6, 1fr); } .faces img { width: 72px; height: 72px; print-color-adjust: exact; }
}
`;
