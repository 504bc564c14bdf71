// markdown.ts: what the generated pages are made of.

/** A word in backticks; nothing for an empty word. */
export const code = (word: string | undefined): string => (word ? `\`${word}\`` : '');

export const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
