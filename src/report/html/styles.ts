import { colorVariables } from './palette.ts';

/** The whole style sheet; nothing in it is fetched from elsewhere. */
export const styles = `
:root{color-scheme:light dark;${colorVariables('light')}}
@media (prefers-color-scheme:dark){:root{${colorVariables('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 16px}
header{padding-top:24px}
h1{font-size:22px;line-height:1.3;margin:0}
h2{font-size:13px;letter-spacing:.06em;text-transform:uppercase;color:var(--faint);margin:32px 0 10px}
h3{font-size:15px;margin:0}
p{margin:4px 0}
.faint,footer{color:var(--faint);font-size:13px}
footer{padding-top:24px;padding-bottom:32px}
.verdict{margin:16px 0 0;padding:12px 16px;border-radius:8px;border-left:4px solid;background:var(--fine);border-color:var(--good)}
.verdict.bad{background:var(--alarm);border-color:var(--bad)}
.verdict strong{color:var(--good)}.verdict.bad strong{color:var(--bad)}
.verdict ul{margin:6px 0 0;padding-left:20px}
.numbers{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:12px;margin:16px 0 0}
.numbers div,.card{background:var(--card);border:1px solid var(--edge);border-radius:8px}
.numbers div{padding:10px 14px}
.numbers dt{color:var(--faint);font-size:13px}
.numbers dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.numbers dd.bad{color:var(--bad)}
.numbers small{display:block;font-size:13px;font-weight:400;color:var(--faint)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:16px}
.card{margin:0;padding:14px 16px;min-width:0}
.card.wide{grid-column:1/-1}
.alert{border-left:4px solid var(--bad)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:8px 0 0;font-size:13px;font-variant-numeric:tabular-nums}
.facts dt{color:var(--faint)}.facts dd{margin:0;min-width:0}
svg{display:block;width:100%;height:auto;margin-top:8px}
svg text{fill:var(--faint);font:11.5px system-ui,sans-serif}
.end{text-anchor:end}.middle{text-anchor:middle}
.axis{stroke:var(--calm)}.grid{stroke:var(--edge)}
.limit{stroke:var(--bad);stroke-dasharray:4 3}
.fill-good{fill:var(--good)}.fill-bad{fill:var(--bad)}.fill-warn{fill:var(--warn)}.fill-calm{fill:var(--calm)}
rect{stroke:var(--card);stroke-width:.5}
.empty{fill:var(--edge);opacity:.55}
.fill-planned{fill:none;stroke:var(--good);stroke-width:1.5}
[class^=line-]{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.line-good{stroke:var(--good)}.line-bad{stroke:var(--bad)}.line-warn{stroke:var(--warn)}.line-calm{stroke:var(--calm)}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;margin:6px 0 0;padding:0;list-style:none;font-size:13px;color:var(--faint)}
.legend svg{display:inline-block;width:10px;height:10px;margin:0 6px 0 0}
details{margin-top:8px;font-size:13px}
summary{color:var(--link);cursor:pointer;padding:4px 0}
.scroll{overflow-x:auto;overflow-wrap:normal}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:6px 16px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--edge)}
th{white-space:nowrap;color:var(--faint);font-weight:500}
td{white-space:nowrap}td.text{white-space:normal;min-width:18em}tr:last-child td{border-bottom:0}
.number{text-align:right;padding-right:24px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
@media print{body{background:none}.card,.numbers div{break-inside:avoid}}
`;
