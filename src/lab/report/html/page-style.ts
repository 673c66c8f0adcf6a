/** How a page looks: light and dark, wide and narrow. Shapes and words carry what colours only underline. */

export const PAGE_STYLE = `
:root { color-scheme: light dark;
  --ground: #f4f6f8; --panel: #ffffff; --sunk: #f0f3f6; --text: #1c2128; --dim: #57606a; --line: #d3dae2;
  --accent: #0a5ca8; --accent-soft: #e3effb; --bad: #a8380a; --bad-soft: #fdeee7; --bad-line: #d9632b;
  --good: #0b6656; --good-soft: #e2f4ef; --unsure: #7a5200; --unsure-soft: #fbf1d9; --sync: #0a5ca8;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0e1116; --panel: #161b22; --sunk: #1c232c; --text: #e6ebf1; --dim: #9da9b6; --line: #303a46;
  --accent: #79b8ff; --accent-soft: #14293f; --bad: #ff9d73; --bad-soft: #3a1d12; --bad-line: #e8743f;
  --good: #5fd3ba; --good-soft: #10302a; --unsure: #f0c55a; --unsure-soft: #33280c; --sync: #79b8ff; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
h1, h2, h3, h4, p, dl, dd, ol, ul, pre, table { margin: 0; padding: 0; }
ol, ul { list-style: none; }
code, pre, .mono { font-family: var(--mono); font-size: 0.88em; }
svg { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
.defs { position: absolute; }
:focus { outline: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999em; background: var(--panel); color: var(--accent); padding: 8px 16px; }
.skip:focus { left: 16px; top: 8px; z-index: 9; }
.label { color: var(--dim); font-size: 12px; }

.top, main { max-width: 1360px; margin: 0 auto; padding: 0 28px; }
.top { padding-top: 24px; }
.brand { font-size: 13px; font-weight: 600; letter-spacing: 0.04em; color: var(--dim); }
.verdict { display: flex; gap: 12px; align-items: flex-start; font-size: 22px; font-weight: 400; line-height: 1.35; margin: 8px 0 10px; }
.verdict svg { flex: none; width: 28px; height: 28px; margin-top: 1px; stroke-width: 2; }
.verdict b { font-weight: 650; }
.verdict.bad svg, .verdict.bad b { color: var(--bad); }
.verdict.good svg, .verdict.good b { color: var(--good); }
.verdict.unsure svg, .verdict.unsure b { color: var(--unsure); }
.command { overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 4px 32px; margin: 14px 0 22px; padding-top: 14px; border-top: 1px solid var(--line); }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dd { font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.figures dt { color: var(--dim); font-size: 12.5px; }

section { margin-bottom: 28px; }
h2 { font-size: 17px; font-weight: 650; margin-bottom: 10px; }
h3 { margin-bottom: 4px; font-size: 18px; font-weight: 650; line-height: 1.35; overflow-wrap: anywhere; }
h4 { font-size: 13px; font-weight: 650; margin: 22px 0 8px; }
.note { margin: 4px 0 10px; color: var(--dim); font-size: 13.5px; max-width: 76ch; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px; min-width: 0; }

.findings { display: grid; grid-template-columns: minmax(230px, 300px) minmax(0, 1fr); gap: 18px; align-items: start; }
.list { display: flex; flex-direction: column; gap: 6px; position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow-y: auto; padding: 3px; }
.list button { font: inherit; color: inherit; text-align: left; background: transparent; border: 1px solid transparent;
  border-left: 3px solid transparent; border-radius: 8px; padding: 9px 12px; cursor: pointer; overflow-wrap: anywhere; }
.list button:hover { background: var(--panel); }
.list button[aria-selected=true] { background: var(--panel); border-color: var(--line); border-left-color: var(--bad-line); }
.list b { display: block; font-weight: 600; line-height: 1.35; }
.list .where { display: block; font-family: var(--mono); font-size: 12.5px; color: var(--dim); }
.list .on { display: block; font-size: 12.5px; color: var(--dim); }
.level { display: inline-flex; align-items: center; gap: 5px; font-size: 12.5px; font-weight: 600; }
.level svg { width: 15px; height: 15px; stroke-width: 2.2; }
.level.error, .level.bad { color: var(--bad); }
.level.warning { color: var(--unsure); }
.level.note-level { color: var(--accent); }
.level.good { color: var(--good); }

.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 16px; margin-top: 12px; }
.facts dt { color: var(--dim); font-size: 13.5px; }
.facts dd { overflow-wrap: anywhere; }
.tabs { display: flex; flex-wrap: wrap; gap: 4px; margin: 20px 0 16px; border-bottom: 1px solid var(--line); }
.tabs button { font: inherit; font-size: 14px; color: var(--dim); background: none; border: 0; border-bottom: 3px solid transparent;
  padding: 7px 12px 5px; margin-bottom: -1px; cursor: pointer; display: inline-flex; gap: 6px; align-items: center; }
.tabs button:hover { color: var(--text); }
.tabs button[aria-selected=true] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent); }
.tabs svg { width: 14px; height: 14px; stroke-width: 2.4; }
.tabs .bad { color: var(--bad); } .tabs .good { color: var(--good); } .tabs .unsure { color: var(--unsure); }

.source { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin-top: 16px; }
.source .file { background: var(--sunk); padding: 6px 14px; border-bottom: 1px solid var(--line); font-family: var(--mono); font-size: 12.5px; color: var(--dim); overflow-wrap: anywhere; }
.source .code { overflow-x: auto; padding: 6px 0; }
.source table { border-collapse: collapse; min-width: 100%; font-family: var(--mono); font-size: 13px; line-height: 1.6; }
.source td { padding: 0 14px 0 0; white-space: pre; }
.source td.number { color: var(--dim); text-align: right; padding: 0 12px 0 14px; user-select: none; width: 1%; }
.source tr.here td { background: var(--bad-soft); }
.source tr.here td.number { color: var(--bad); font-weight: 700; box-shadow: inset 3px 0 0 var(--bad-line); }
.source tr.added td { background: var(--good-soft); color: var(--good); font-weight: 600; }
.source tr.added td.number { box-shadow: inset 3px 0 0 var(--good); color: var(--good); }

.timeline .scroll { position: relative; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--panel); }
.timeline table { border-collapse: separate; border-spacing: 0; font-size: 12px; }
.timeline th, .timeline td { padding: 0; text-align: center; vertical-align: middle; }
.timeline thead th { font-weight: 400; color: var(--dim); height: 26px; border-bottom: 1px solid var(--line); white-space: nowrap; padding: 0 4px; font-variant-numeric: tabular-nums; }
.timeline thead th.crash { color: var(--bad); font-weight: 700; }
.timeline thead th.ghost { color: var(--good); font-weight: 700; }
.timeline tbody th { position: sticky; left: 0; z-index: 2; background: var(--panel); border-right: 1px solid var(--line); text-align: left;
  font-weight: 500; padding: 8px 14px; min-width: 150px; max-width: 250px; overflow-wrap: anywhere; }
.timeline thead th:first-child { position: sticky; left: 0; z-index: 2; background: var(--panel); border-right: 1px solid var(--line); }
.timeline tbody tr + tr > * { border-top: 1px solid var(--line); }
.lane { display: flex; gap: 8px; align-items: flex-start; font-family: var(--mono); font-size: 12.5px; }
.lane svg { flex: none; width: 15px; height: 15px; margin-top: 1px; color: var(--dim); }
.lane .then { color: var(--dim); }
.timeline td { min-width: 66px; height: 62px; background: linear-gradient(var(--line), var(--line)) center / 100% 1px no-repeat; }
.timeline td.gap, .timeline th.gap { min-width: 58px; color: var(--dim); background: repeating-linear-gradient(135deg, transparent 0 5px, var(--sunk) 5px 10px); }
.timeline td.crash { background: linear-gradient(var(--bad-line), var(--bad-line)) center / 4px 100% no-repeat; }
.timeline thead th.crash { min-width: 84px; }
.timeline th.crash svg { width: 14px; height: 14px; vertical-align: -2px; fill: currentColor; }
.call { position: relative; font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line); border-radius: 8px; cursor: pointer;
  min-width: 58px; min-height: 46px; padding: 4px 5px 3px; margin: 4px; display: inline-flex; flex-direction: column; align-items: center; gap: 1px; line-height: 1.25; }
.call svg { width: 16px; height: 16px; }
.call small { font-size: 10.5px; color: var(--dim); }
.call[data-chosen] { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.call.durable { background: var(--good-soft); border-color: var(--good); }
.call.durable svg, .call.durable small { color: var(--good); }
.call.pending { border-style: dashed; border-color: var(--dim); }
.call.lost { background: var(--bad-soft); border: 2px solid var(--bad-line); color: var(--bad); }
.call.lost .word { text-decoration: line-through; text-decoration-thickness: 2px; }
.call.lost small { color: var(--bad); font-weight: 700; }
.call.sync svg { color: var(--sync); fill: currentColor; }
.call.mark svg { color: var(--text); }
.call.after { border-style: dotted; color: var(--dim); }
.call.shown { border: 2px solid var(--bad-line); background: var(--bad-soft); }
.call.shown small { color: var(--bad); font-weight: 700; }
.ghost .sync-missing { display: inline-flex; flex-direction: column; align-items: center; gap: 1px; min-width: 62px; min-height: 46px; margin: 4px; padding: 4px 5px 3px;
  border: 2px dashed var(--good); border-radius: 8px; color: var(--good); background: var(--good-soft); line-height: 1.25; font-weight: 600; }
.ghost .sync-missing svg { width: 16px; height: 16px; }
.ghost .sync-missing small { font-size: 10.5px; }
.detail { margin-top: 8px; min-height: 2.9em; padding: 9px 14px; background: var(--sunk); border-radius: 8px; font-size: 13.5px; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 8px; font-size: 12.5px; color: var(--dim); }
.legend li { display: inline-flex; gap: 6px; align-items: center; }
.legend i { display: inline-block; width: 16px; height: 14px; border-radius: 4px; border: 1px solid var(--line); }
.legend .lost { border: 2px solid var(--bad-line); background: var(--bad-soft); }
.legend .durable { border-color: var(--good); background: var(--good-soft); }
.legend .pending { border: 1px dashed var(--dim); }
.legend .missing { border: 2px dashed var(--good); }

.wide { overflow-x: auto; }
.grid { border-collapse: collapse; width: 100%; font-size: 13.5px; }
.grid th { text-align: left; font-weight: 600; color: var(--dim); font-size: 12.5px; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.grid td, .grid tbody th { padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.grid tbody th { color: var(--text); font-size: 13.5px; }
.grid th .label { font-weight: 400; }
.grid tr:last-child > * { border-bottom: 0; }
.grid .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.grid tbody tr:last-child td { border-bottom: 0; }
.trees { table-layout: fixed; min-width: 560px; }
.trees .path { width: 24%; } .trees .state { width: 110px; }
.trees tbody th { font-family: var(--mono); font-weight: 500; font-size: 12.5px; overflow-wrap: anywhere; white-space: normal; }
.trees td pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--sunk); border-radius: 6px; padding: 5px 9px; margin-top: 4px; font-size: 12.5px; line-height: 1.45; }
.trees tr.different td.after pre, .trees tr.unexpected td.after pre { background: var(--bad-soft); }
.trees .nothing { color: var(--bad); font-weight: 600; }
.trees tr.same { color: var(--dim); }
.trees tr.same th { color: var(--dim); }
.more { color: var(--dim); font-size: 13px; margin-top: 8px; }
details > summary { cursor: pointer; color: var(--accent); font-size: 13.5px; margin-top: 8px; }
.stack { font-family: var(--mono); font-size: 12.5px; color: var(--dim); margin: 6px 0 0 18px; overflow-wrap: anywhere; }
.plain li { padding: 3px 0 3px 16px; text-indent: -16px; overflow-wrap: anywhere; }
.plain li::before { content: '–'; display: inline-block; width: 16px; text-indent: 0; color: var(--dim); }
.foot { color: var(--dim); font-size: 12.5px; padding: 4px 0 36px; }
@media (max-width: 820px) {
  .top, main { padding-left: 14px; padding-right: 14px; }
  .findings { grid-template-columns: minmax(0, 1fr); }
  .list { position: static; max-height: 40vh; }
  .panel { padding: 14px; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 8px; }
  .timeline tbody th { min-width: 104px; max-width: 128px; padding: 8px; }
  .verdict { font-size: 19px; }
}
@media print { .list { position: static; max-height: none; } .panel { break-inside: avoid; } }
`;
