// text.ts: helpers for writing generated text: YAML scalars and lists wrapped at 100 columns, and
// the part of a handwritten file between two marks.

const WIDTH = 100;

/** Breaks text at spaces so that each line fits. A longer word stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * A YAML list item that holds this string: quoted if it fits on the line, otherwise a folded block
 * (`>-`). YAML joins the lines of a folded block with one space, so the value stays the same. Lines
 * break before `or`, `and` and `where` if they can, because OTTL reads better that way.
 *
 * @param text - must not contain line breaks or two spaces in a row.
 * @param indent - number of spaces before the dash.
 */
export function listItem(text: string, indent: number): string {
  const dash = `${' '.repeat(indent)}- `;
  const quoted = `${dash}'${text.replaceAll("'", "''")}'`;
  if (quoted.length <= WIDTH) return `${quoted}\n`;
  if (/\n| {2}|^ | $/.test(text)) throw new Error(`cannot be folded: ${text}`);
  const width = WIDTH - indent - 2;
  const lines: string[] = [];
  for (const clause of text.split(/ (?=(?:or|and|where) )/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + clause.length <= width)
      lines[lines.length - 1] = `${last} ${clause}`;
    else lines.push(...wrapped(clause, width));
  }
  const pad = ' '.repeat(indent + 2);
  return `${dash}>-\n${lines.map((line) => `${pad}${line}\n`).join('')}`;
}

/** `key: [a, b, c]` on as many lines as it needs. */
export function flowList(key: string, items: readonly string[], indent: number): string {
  const pad = ' '.repeat(indent);
  const oneLine = `${pad}${key}: [${items.join(', ')}]`;
  if (oneLine.length <= WIDTH) return oneLine;
  // The first line has a bracket, the others a space in its place.
  const lines = wrapped(`${items.join(', ')}]`, WIDTH - indent - 3);
  return `${pad}${key}:\n${lines.map((line, i) => `${pad}  ${i ? ' ' : '['}${line}`).join('\n')}`;
}

/** A YAML or shell comment, wrapped. Each string is a paragraph of its own. */
export function comment(paragraphs: readonly string[], indent = 0): string {
  const start = `${' '.repeat(indent)}# `;
  return paragraphs
    .flatMap((text) => wrapped(text, WIDTH - start.length))
    .map((line) => `${start}${line}\n`)
    .join('');
}

/** A Markdown table. Prettier aligns its columns afterwards. */
export function markdownTable(head: readonly string[], rows: readonly string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/**
 * Replaces what stands between two marks of a handwritten file.
 *
 * @throws Error if a mark is missing.
 */
export function between(file: string, old: string, marks: [string, string], text: string): string {
  const from = old.indexOf(marks[0]) + marks[0].length;
  const to = old.indexOf(marks[1], from);
  if (from < marks[0].length || to < from)
    throw new Error(`${file} has lost the marks around its generated part: ${marks.join(' … ')}`);
  return old.slice(0, from) + text + old.slice(to);
}
