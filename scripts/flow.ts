// flow.ts: the picture of the way of a run, docs/images/flow.svg, drawn by Graphviz from the text
// below. On a ground of its own, so that it can be read on a light page and on a dark one; the
// fonts are those that every reader has.
import { instance } from '@viz-js/viz';

const INK = '#1f2933';
const QUIET = '#52606d';
const YOURS = '#e6f2ec';
const THEIRS = '#e8eef8';
const WAY = '#1b6e53';

/** What a screen reader says of it. */
const FLOW_TEXT =
  'The way of a run. lhp generate runs behind lhp-otel run, the shell hook or the library. If consent says yes, a reporter of its own process scans the project, identifies it and records one OTLP request, which is one file. It stays in the history on this machine, for show, stats and view. Only with an endpoint that you configure is it sent over OTLP/HTTP to the operator’s gateway, which lets only the contract pass and makes HMACs of the ids, and from there to Prometheus and Grafana. Names, paths, SQL, file contents and variables never leave the machine.';

const box = (title: string, ...lines: string[]) =>
  `<<b>${title}</b>${lines.map((line) => `<br/><font point-size="12" color="${QUIET}">${line}</font>`).join('')}>`;

const DOT = `digraph "The way of a run" {
  graph [rankdir=TB, bgcolor="#ffffff", pad=0.3, nodesep=0.4, ranksep=0.4, fontname="Arial", fontsize=14, fontcolor="${INK}", newrank=true]
  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="${QUIET}", fontname="Arial", fontsize=14, fontcolor="${INK}", margin="0.32,0.1"]
  edge [color="${WAY}", penwidth=1.6, arrowsize=0.8, fontname="Arial", fontsize=12, fontcolor="${QUIET}"]

  subgraph cluster_yours {
    label=<<b>your machine</b>>; labeljust=l; style="rounded,filled"; fillcolor="${YOURS}"; color="${YOURS}"; margin=16
    lhp [label=${box('lhp generate', 'your command: same output, signals, exit status')}]
    run [label=${box('lhp-otel run')}]
    hook [label=${box('shell hook')}]
    library [label=${box('library')}]
    consent [label=${box('consent', 'the first off wins, and is named')}]
    reporter [label=${box('reporter', 'a process of its own: scan, identify, record')}]
    spool [label=${box('spool', 'one run = one file = one OTLP request')}]
    history [label=${box('history', 'the same bytes, on this machine')}]
    eyes [label=${box('show · stats · view', 'every byte, and your own numbers')}]
    nothing [label=${box('nothing', 'no file, no process, no connection')}, style="rounded,dashed", color="${QUIET}"]
    never [label=${box('never leaves', 'names, paths, SQL, file contents,', 'variables, credentials')}, style="rounded,dashed", color="${QUIET}"]
  }
  subgraph cluster_theirs {
    label=<<b>the operator’s</b>>; labeljust=l; style="rounded,filled"; fillcolor="${THEIRS}"; color="${THEIRS}"; margin=16
    gateway [label=${box('gateway', 'limits · only the contract passes', 'ids become HMACs under a secret')}]
    prometheus [label=${box('Prometheus', 'each run counted once')}]
    grafana [label=${box('Grafana', 'dashboards from the contract')}]
  }

  lhp -> {run hook library}
  {run hook library} -> consent
  consent -> nothing [label="off ", style=dashed, color="${QUIET}"]
  consent -> reporter [label="    on, after a success    "]
  reporter -> never [style=dashed, color="${QUIET}", dir=none]
  reporter -> spool
  spool -> history
  history -> eyes
  spool -> gateway [label="OTLP/HTTP, only to the\\nendpoint you configured", constraint=false]
  gateway -> prometheus -> grafana
  { rank=same; consent; nothing }
  { rank=same; reporter; never }
  { rank=same; spool; gateway }
  { rank=same; history; prometheus }
  { rank=same; eyes; grafana }
}`;

/**
 * Graphviz places each line by its own widths; where the reader's font is wider, lines in the
 * middle still fit.
 */
function centered(node: string): string {
  const [, path = ''] = /<path [^>]*d="([^"]*)"/.exec(node) ?? [];
  const xs = [...path.matchAll(/(-?[\d.]+),/g)].map(([, x]) => Number(x));
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  return node.replace(
    /text-anchor="start" x="[^"]*"/g,
    `text-anchor="middle" x="${middle.toFixed(2)}"`,
  );
}

/** Deterministic: the layout is Graphviz’s own arithmetic, with font metrics that it carries. */
export async function flowPicture(): Promise<string> {
  const svg = (await instance()).renderString(DOT, { format: 'svg', engine: 'dot' });
  return (
    svg
      // Names of this text, which a browser would show.
      .replace(/(<!--.*?-->|<title>.*?<\/title>)\n/g, '')
      .replace(
        /^[\s\S]*?(?=<svg)/,
        '<!-- Made by `npm run generate` from scripts/flow.ts; do not edit. -->\n',
      )
      .replace(
        /<svg ([^>]*>)/,
        `<svg role="img" $1\n<title>The way of a run</title>\n<desc>${FLOW_TEXT}</desc>`,
      )
      .replace(/<g id="node[\s\S]*?<\/g>/g, centered)
      .replaceAll('font-family="Arial"', 'font-family="Arial, Helvetica, sans-serif"')
  );
}
