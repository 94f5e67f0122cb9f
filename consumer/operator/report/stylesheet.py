"""How the HTML report looks: on a desk, on a phone, in the dark and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --line: #d7dce3; --page: #fff; --tile: #f5f7fa;
  --bar: #2f6fdb; --good: #14713d; --bad: #b3261e; --warn: #8a5a00; --warn-page: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3adba; --line: #3a424d; --page: #14181e;
  --tile: #1d232b; --bar: #6ea0f5; --good: #6fd39a; --bad: #ff8f87; --warn: #f2c265; --warn-page: #2b2415; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Noto Sans", "Helvetica Neue", Arial, "PingFang SC", "Microsoft YaHei", sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
header p { margin: .25rem 0 0; }
header p, section > p, .empty { color: var(--soft); }
section > p { margin: 0 0 .75rem; }
section { margin-top: 2.25rem; overflow-x: auto; }
.figures { display: grid; grid-template-columns: repeat(6, 1fr); gap: .75rem; margin: 1.5rem 0 0; }
@media screen and (max-width: 940px) { .figures { grid-template-columns: repeat(3, 1fr); } }
.figures > div { background: var(--tile); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem .9rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; color: var(--soft); font-size: .8rem; line-height: 1.35; }
.figures .value { color: var(--ink); font-size: 1.5rem; font-weight: 650; line-height: 1.35;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.good .value { color: var(--good); } .bad .value { color: var(--bad); } .unknown .value { color: var(--warn); }
section.unknown { background: var(--warn-page); border: 1px solid var(--warn); border-radius: .5rem;
  padding: .9rem 1.1rem; }
section.damaged { border-width: 2px; border-color: var(--bad); }
section.unknown ul { margin: 0; padding-left: 1.2rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); }
.long { overflow-wrap: anywhere; } .whole { white-space: nowrap; }
th { color: var(--soft); font-size: .85rem; font-weight: 600; overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; } td.none { color: var(--soft); }
svg { display: block; width: 100%; height: auto; }
svg rect { fill: var(--bar); } svg line { stroke: var(--line); }
svg text { fill: var(--ink); font-size: 12px; text-anchor: middle; } svg .day { fill: var(--soft); }
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .85rem; }
footer ul { margin: 0; padding-left: 1.2rem; } code { overflow-wrap: anywhere; }
@media screen and (max-width: 640px) {
  main { padding: 1.25rem 1rem 2rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; } tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td, td.number { display: grid; grid-template-columns: 7.5rem 1fr; gap: .75rem; text-align: left; border: 0;
    padding: .1rem 0; }
  td { overflow-wrap: anywhere; } td.whole { white-space: normal; } td.none { display: none; }
  svg text { font-size: 21px; }
  td::before { content: attr(data-name); color: var(--soft); font-size: .85rem; }
}
@page { size: A4; margin: 16mm 14mm; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --page: #fff; --tile: #fff; --bar: #555;
    --good: #14713d; --bad: #b3261e; --warn: #8a5a00; --warn-page: #fff; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  .wide { white-space: normal; overflow-wrap: break-word; }
  section { margin-top: 1.4rem; overflow: visible; } h2, .figures, tr, svg, section.unknown { break-inside: avoid; }
  h2, section > p { break-after: avoid; } thead { display: table-header-group; }
  .figures { grid-template-columns: repeat(3, 1fr); }
  svg rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
