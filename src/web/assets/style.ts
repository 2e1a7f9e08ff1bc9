/** The style sheet of all pages. Colours say what words and symbols say too, never more. */
export const style = `
:root {
  --paper: #f7f7f5; --card: #ffffff; --ink: #1d1f27; --soft: #5a5e6b; --line: #e2e2de; --hover: #f2f3f7;
  --link: #2347a6; --focus: #2347a6;
  --bad: #a3211b; --bad-bg: #fdf0ee; --bad-line: #efc4bf;
  --warn: #7a4b00; --warn-bg: #fdf5e3; --warn-line: #ecd6a4;
  --good: #17613b; --good-bg: #eef7f1; --good-line: #bcdcc8;
  --quiet: #575b68; --quiet-bg: #f0f0ee; --quiet-line: #dcdcd8;
  --code: #f3f3f0; --filled: #dfe7fb; --filled-ink: #1c3476;
  --shadow: 0 1px 2px rgb(20 22 30 / 5%), 0 4px 16px rgb(20 22 30 / 4%);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161b; --card: #1b1e25; --ink: #e7e8ec; --soft: #a2a7b5; --line: #2e323c; --hover: #22262f;
    --link: #9db7ff; --focus: #9db7ff;
    --bad: #ff9f95; --bad-bg: #331a1a; --bad-line: #6b302c;
    --warn: #f2c46d; --warn-bg: #2e2513; --warn-line: #5e4b20;
    --good: #86d6a6; --good-bg: #15281e; --good-line: #2b5a3f;
    --quiet: #a9aebb; --quiet-bg: #23262e; --quiet-line: #3a3f4a;
    --code: #14161b; --filled: #263863; --filled-ink: #d5e0ff;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 var(--sans); }
body > header, main, footer { max-width: 1440px; margin-inline: auto; padding-inline: 28px; }
main:focus { outline: none; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .18em; text-decoration-color: color-mix(in srgb, currentcolor 35%, transparent); }
a:hover { text-decoration-color: currentcolor; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
i { font-style: normal; }
small { color: var(--soft); font-size: .84em; }
code, pre { font-family: var(--mono); font-size: .9em; }
code { overflow-wrap: anywhere; }
.muted { color: var(--soft); }
.skip { position: absolute; left: 12px; top: -60px; background: var(--card); padding: 8px 14px; border-radius: 6px; z-index: 2; }
.skip:focus { top: 12px; }

.top { display: flex; align-items: center; gap: 8px 28px; flex-wrap: wrap; padding-block: 18px; }
.brand { display: flex; align-items: center; gap: 10px; font-weight: 650; color: var(--ink); text-decoration: none; letter-spacing: -.01em; }
.brand .mark { width: 14px; height: 14px; border-radius: 4px; background: var(--link); }
.top nav { display: flex; gap: 4px; }
.top nav a { padding: 6px 12px; border-radius: 6px; color: var(--soft); text-decoration: none; }
.top nav a:hover { background: var(--hover); color: var(--ink); }
.top nav a[aria-current] { color: var(--ink); background: var(--card); box-shadow: inset 0 0 0 1px var(--line); }
.live { margin-left: auto; display: flex; align-items: center; gap: 12px; color: var(--soft); font-size: .88em; }
.live [role=status]::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 8px; border-radius: 50%; background: var(--good); }
.stale .live [role=status] { color: var(--bad); }
.stale .live [role=status]::before { background: var(--bad); border-radius: 1px; }
button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 6px 14px; cursor: pointer; }
button[aria-pressed=true] { background: var(--filled); color: var(--filled-ink); }
button:hover:not([aria-pressed=true]) { background: var(--hover); }
.live button { padding: 2px 10px; }

h1 { font-size: 1.75rem; line-height: 1.22; letter-spacing: -.021em; font-weight: 680; margin: 0; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; letter-spacing: -.012em; line-height: 1.3; margin: 30px 0 12px; }
h3 { font-size: 1rem; margin: 24px 0 8px; }
h3 small { font-weight: 400; margin-left: 6px; }
.kicker { margin: 0 0 4px; font-size: .8rem; color: var(--soft); }

.banner { border: 1px solid; border-radius: 10px; padding: 12px 18px; margin-bottom: 14px; }
.banner.bad { color: var(--bad); background: var(--bad-bg); border-color: var(--bad-line); }
.banner.warn { color: var(--warn); background: var(--warn-bg); border-color: var(--warn-line); }
.banner a { color: inherit; }

.hero { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 26px 30px; box-shadow: var(--shadow); }
.hero.bad { border-color: var(--bad-line); }
.hero.warn { border-color: var(--warn-line); }
.hero.good { border-color: var(--good-line); }
.hero > h1 { display: flex; gap: 14px; align-items: baseline; flex-wrap: wrap; }
.hero > h1[id] { flex-wrap: nowrap; }
.hero.bad > h1 > i { color: var(--bad); } .hero.warn > h1 > i { color: var(--warn); } .hero.good > h1 > i { color: var(--good); } .hero.quiet > h1 > i { color: var(--quiet); }
.hero > h1 code { font-size: .94em; letter-spacing: -.03em; }
.hero > h2 { margin: 0; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; overflow-wrap: anywhere; }
.hero > p { margin: 12px 0 0; max-width: 104ch; overflow-wrap: anywhere; }
.hero > .kicker { margin: 0 0 4px; }
.hero .b { font-size: .88rem; letter-spacing: 0; font-weight: 500; }
.hero + .scroll { margin-top: 24px; }
svg.plot, svg.strip { display: block; margin-top: 3px; max-width: 100%; }
.n svg.plot { margin-left: auto; }
svg.plot path { stroke: var(--bad); stroke-width: 2; fill: none; }
svg.strip path { stroke-width: 2.5; fill: none; } svg.strip .g { stroke: var(--good); } svg.strip .f { stroke: var(--bad); }
.hero > .diagnosis { font-size: 1.06rem; }
.command { margin-top: 14px; } .command > span { color: var(--soft); font-size: .9em; overflow-wrap: anywhere; } .command .code { margin-top: 5px; max-width: 110ch; } .command pre { max-height: 82px; overflow-y: auto; }
.lean td time small { display: inline; margin-left: 6px; } .pair .lanes { margin: 0; } .pair .lane { grid-template-columns: 130px minmax(0, 1fr) 100px; gap: 4px 12px; } .lane .note { white-space: nowrap; } .pair .ticks time:not(:first-child, :last-child) { display: none; }
.lanes { margin: 0 0 24px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px 12px; }
.lanes figcaption { color: var(--soft); font-size: .88em; margin-bottom: 8px; }
.lane { display: grid; grid-template-columns: 150px minmax(0, 1fr) 130px; gap: 4px 16px; align-items: center; border-top: 1px solid var(--line); padding: 3px 0; }
.lane b { font-weight: 500; overflow-wrap: anywhere; } .lane .note { color: var(--soft); font-size: .9em; }
.lane svg { display: block; width: 100%; height: 28px; }
.lane .good { fill: var(--good); } .lane .bad { fill: var(--bad); } .lane .warn { fill: var(--warn); }
.axis b { color: var(--soft); font-weight: 400; font-size: .9em; } .ticks { display: flex; justify-content: space-between; gap: 10px; color: var(--soft); font-size: .84em; } .ticks time { white-space: nowrap; }
.hops { margin: 0 0 10px; padding-left: 2em; } .hops li { padding: 2px 0; }
.line { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.line > li { display: grid; grid-template-columns: 220px minmax(0, 1fr); gap: 4px 18px; padding: 7px 18px 7px 15px; border-left: 3px solid transparent; overflow-wrap: anywhere; }
.line > li + li { border-top: 1px solid var(--line); }
.line > .error { border-left-color: var(--bad); } .line > .warn { border-left-color: var(--warn); }
.line .bad b, .line .bad > div > b { color: var(--bad); } .line .warn > div > b { color: var(--warn); } .line .good > div > b { color: var(--good); }
.line time { white-space: nowrap; } .line time small, .line div > small { margin-left: 6px; } .line q { display: block; quotes: none; color: var(--soft); font-size: .9em; }
.now { margin-block: 20px 8px; }
.now .panel { border: 0; padding: 0; margin-top: 18px; background: none; }
.next, .rows td:last-child a { white-space: nowrap; }
.hero .next, tr:has(.bad, .warn) td:last-child a { font-weight: 600; }
.next::after, .rows td:last-child a::after { content: " \\2192"; }
.counts { list-style: none; margin: 18px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 8px; }
.counts a { text-decoration: none; padding: 4px 12px 4px 10px; }
.counts a:hover { box-shadow: 0 0 0 1px currentcolor; }

.b { display: inline-block; border: 1px solid; border-radius: 99px; padding: 1px 10px 1px 8px; font-size: .9em; white-space: nowrap; line-height: 1.5; }
.b.bad { color: var(--bad); background: var(--bad-bg); border-color: var(--bad-line); }
.b.warn { color: var(--warn); background: var(--warn-bg); border-color: var(--warn-line); }
.b.good { color: var(--good); background: var(--good-bg); border-color: var(--good-line); }
.b.quiet { color: var(--quiet); background: var(--quiet-bg); border-color: var(--quiet-line); }

.b::before { content: "○ "; content: "○ " / ""; }
.b.bad::before { content: "✖ "; content: "✖ " / ""; }
.b.warn::before { content: "▲ "; content: "▲ " / ""; }
.b.good::before { content: "✔ "; content: "✔ " / ""; }

.filters { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; margin: 28px 0 14px; }
.filters label span { display: block; font-size: .84em; color: var(--soft); margin-bottom: 3px; }
.filters label { max-width: 340px; } .filters label:first-child { flex: 0 1 320px; }
input, select { font: inherit; width: 100%; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; min-height: 36px; }
input::placeholder { color: var(--soft); opacity: 1; }
.filters button, .filters > a { min-height: 36px; }
.filters > a { display: inline-flex; align-items: center; }

.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 14px 18px 6px; color: var(--soft); font-size: .88em; }
th, td { text-align: left; vertical-align: top; padding: 11px 12px; font-weight: 400; overflow-wrap: break-word; }
td code, th code { overflow-wrap: anywhere; }
th:first-child, td:first-child { padding-left: 18px; }
th:last-child, td:last-child { padding-right: 18px; }
thead th { font-size: .86em; color: var(--soft); white-space: nowrap; overflow-wrap: normal; padding-block: 8px; border-bottom: 1px solid var(--line); }
thead a { color: inherit; text-decoration: none; }
thead a:hover { text-decoration: underline; }
thead [aria-sort] { color: var(--ink); font-weight: 600; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--hover); }
.n { text-align: right; white-space: nowrap; }
td small, th small { display: block; }
time { font-variant-numeric: tabular-nums; }
td time { white-space: nowrap; }
.rows th[scope=row] { font-family: var(--mono); font-size: .92em; }
.rows th small { font-family: var(--sans); }
.long { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.rows { table-layout: fixed; min-width: 1020px; }
.rows th, .rows td, .lean th, .lean td { overflow-wrap: anywhere; } .rows .b { white-space: normal; border-radius: 12px; }
.rows thead th:nth-child(1) { width: 184px; } .rows thead th:nth-child(2) { width: 15.5%; } .rows thead th:nth-child(3) { width: 14%; } .rows thead th:nth-child(4) { width: 10%; }
.rows thead th:nth-child(5) { width: 112px; } .rows thead th:nth-child(6) { width: 12.5%; }
.rows.one thead th:nth-child(2) { width: 20%; }
.rows td:nth-child(4) small, .rows td time { white-space: normal; }
.rows td:nth-child(7) { color: var(--soft); }
.pages { display: flex; gap: 6px; flex-wrap: wrap; margin-top: 14px; }
.paged { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; margin-top: 14px; } .paged .pages { margin: 0; }
.pages span { padding: 4px 0; color: var(--soft); }
.pages a { padding: 4px 11px; border: 1px solid var(--line); border-radius: 6px; text-decoration: none; background: var(--card); }
.pages a[aria-current] { background: var(--link); border-color: var(--link); color: var(--card); }
.empty { padding: 40px 24px; text-align: center; color: var(--soft); background: var(--card); border: 1px dashed var(--line); border-radius: 12px; }

.facts { display: flex; flex-wrap: wrap; gap: 16px 40px; margin: 22px 4px 0; }
.facts dt { font-size: .84em; color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px; margin-bottom: 18px; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px; }
.panel h3 { margin: 0 0 8px; }
.panel > p { margin: 2px 0 12px; }
.steps { list-style: none; margin: 0 0 16px; padding: 0; }
.steps li { padding: 2px 0 2px 26px; position: relative; overflow-wrap: anywhere; }
.steps li > i { position: absolute; left: 2px; }
.steps b { font-weight: 560; margin-right: 6px; }
.steps .bad > i, .steps .bad b { color: var(--bad); }
.steps .good > i { color: var(--good); }
.steps .quiet { color: var(--soft); } .steps .quiet b { font-weight: 400; }
.steps q { display: block; color: var(--soft); font-size: .9em; quotes: none; }
pre { margin: 0; overflow-x: auto; background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; line-height: 1.6; }
.transcript { max-height: 160px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .82em; }
.transcript .out { color: var(--link); }
.transcript .note { color: var(--soft); }

.book { display: grid; grid-template-columns: minmax(0, 880px) 200px; gap: 56px; justify-content: space-between; align-items: start; }
.contents { position: sticky; top: 24px; display: grid; gap: 2px; padding-top: 4px; }
.contents a { color: var(--soft); text-decoration: none; padding: 3px 0; }
.contents a:hover { color: var(--ink); text-decoration: underline; }
.prose { font-size: 1.02rem; line-height: 1.65; }
.prose h2 { margin-top: 44px; font-size: 1.35rem; }
.prose h3 { margin-top: 32px; font-size: 1.08rem; }
.prose :target { background: var(--warn-bg); box-shadow: 0 0 0 8px var(--warn-bg); border-radius: 2px; }
.prose > .scroll { max-width: 1000px; }
.prose > p, .prose > ul, .prose > ol { max-width: 76ch; }
.prose li + li { margin-top: 5px; }
.prose :not(pre) > code { background: var(--code); border: 1px solid var(--line); border-radius: 4px; padding: .08em .32em; }
.prose .scroll { margin-block: 14px; box-shadow: none; font-size: .94em; }
.prose th, .prose td { padding: 9px 12px; overflow-wrap: break-word; }
.prose blockquote { margin: 16px 0; padding: 2px 18px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.code { position: relative; margin-block: 14px; }
.code pre { background: var(--card); white-space: pre-wrap; overflow-wrap: anywhere; }
.code:has(.copy) pre { padding-right: 84px; }
.copy { position: absolute; top: 7px; right: 7px; padding: 1px 10px; font-size: .84em; color: var(--soft); }
mark { background: var(--filled); color: var(--filled-ink); border-radius: 3px; padding: 0 .15em; }
.index { list-style: none; margin: 22px 0 0; padding: 0; display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
.index li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px; overflow-wrap: anywhere; }
.index a { font-weight: 600; }
.index small { margin-left: 8px; }
.index p { margin: 6px 0 0; color: var(--soft); }
details > summary { cursor: pointer; padding: 8px 0; color: var(--link); }
footer { display: flex; flex-wrap: wrap; gap: 6px 22px; margin-top: 40px; padding-block: 22px 30px; color: var(--soft); font-size: .88em; }
footer a { color: inherit; }
footer span:last-child { margin-left: auto; }

@media (max-width: 1200px) {
  .rows thead th:nth-child(1) { width: 152px; } .rows thead th:nth-child(2) { width: 16.5%; } .rows thead th:nth-child(3) { width: 14.5%; } .rows thead th:nth-child(4) { width: 9.5%; }
}
@media (max-width: 1000px) {
  .book { grid-template-columns: minmax(0, 1fr); }
  .contents { display: none; }
  .pair { grid-template-columns: minmax(0, 1fr); }
}
/* Rows become cards. Lean rows carry no labels of their own: their columns are named here. */
@media (max-width: 760px) {
  body > header, main, footer { padding-inline: 16px; }
  h1 { font-size: 1.4rem; }
  .top { padding-block: 12px; }
  .hero { padding: 18px 18px 20px; border-radius: 12px; }
  .hero > h1 { gap: 8px; }
  .next, .rows td:last-child a { display: inline-block; white-space: normal; }
  .panel { padding: 14px 16px; }
  .filters label { flex: 1 1 auto; min-width: 40%; max-width: none; }
  .filters label:first-child { flex: 1 1 100%; }
  td time { white-space: normal; }
  .scroll:has(.cards) { background: none; border: 0; box-shadow: none; border-radius: 0; overflow: visible; }
  .rows { min-width: 0; }
  .cards .n svg.plot { margin-left: 0; }
  .cards caption { display: block; padding: 4px 0 10px; }
  .cards, .cards tbody, .cards tr, .cards td, .cards tbody th { display: block; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards tr { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 10px 16px 12px; margin-bottom: 10px; }
  .cards tr > *, .cards tbody tr + tr > * { border: 0; padding: 5px 0 5px 112px; text-align: left; position: relative; min-width: 0; max-width: none; }
  .cards tr > *::before { content: attr(data-label); position: absolute; left: 0; color: var(--soft); font: .88rem/1.55 var(--sans); }
  .rows tr > *::before { content: ""; }
  .rows tbody td:nth-child(1) { padding: 5px 0 6px; }
  .rows tbody td:nth-child(2)::before { content: "Connector"; }
  .rows.one tbody td:nth-child(2)::before { content: "Server"; }
  .rows tbody th::before { content: "Destination"; }
  .rows tbody td:nth-child(4)::before { content: "Errors"; }
  .rows tbody td:nth-child(5)::before { content: "Last error"; }
  .rows tbody td:nth-child(6)::before { content: "Last probe"; }
  .rows tbody td:nth-child(7) { padding: 8px 0 4px; }
  td small, th small { display: inline; margin-left: 6px; }
  .rows td:nth-child(2) small, .rows td:nth-child(6) small { display: block; margin-left: 0; }
  .lane, .pair .lane { grid-template-columns: minmax(0, 1fr) auto; padding: 5px 0; } .lane svg, .ticks { grid-column: 1 / -1; grid-row: 2; } .lane svg:empty { display: none; } .axis b { display: none; } .ticks time:nth-child(2n) { display: none; }
  .line > li { grid-template-columns: minmax(0, 1fr); } .line time small { display: inline; margin-left: 6px; }
  .top { flex-wrap: nowrap; gap: 8px; padding-block: 10px; font-size: .9em; }
  .top nav { gap: 0; } .top nav a { padding: 6px 7px; } .live { gap: 6px; } .live button { padding: 2px 6px; white-space: nowrap; } .zone > span { display: none; }
  .brand > span:last-child, .live [role=status] { width: 8px; height: 14px; overflow: hidden; white-space: nowrap; text-indent: 16px; margin: 0; }
  .brand > span:last-child { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); }
  .live [role=status] { display: flex; align-items: center; } .live [role=status]::before { flex: none; margin: 0; text-indent: 0; }
  .prose .scroll { overflow: visible; background: none; border: 0; }
  .prose table, .prose tbody, .prose tr, .prose td { display: block; }
  .prose thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .prose tr { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 6px 14px 7px; margin-bottom: 8px; }
  .prose tr > *, .prose tbody tr + tr > * { border: 0; padding: 1px 0; overflow-wrap: anywhere; }
  .prose td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font: .88rem/1.5 var(--sans); }
  .prose td:first-child::before { content: none; }
  footer span:last-child { margin-left: 0; }
}
@media print { .top nav, .filters, .live, .copy, .contents, footer { display: none; } .hero, .scroll, .panel { box-shadow: none; } }
`;
