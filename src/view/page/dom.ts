// dom.ts: how anything comes onto the page: elements and text nodes, and nothing that a browser
// would parse. A recorded run is a file that anybody may have put there, so its words are shown cut
// to a length, without characters that turn or hide others.

type Child = Node | string | number | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined>;

/** An element; an attribute that is `undefined` or `false` is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  for (const child of children)
    if (child !== undefined && child !== false)
      element.append(typeof child === 'number' ? String(child) : child);
  return element;
}

/** The element with this id; the page's own HTML has it. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Text of our own, in which what is between backticks is code. */
export function rich(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(
    ...text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part)),
  );
  return fragment;
}

/** An address breaks behind its dots and slashes, and before its port. */
export function breakable(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(...text.split(/(?<=\.|[^/]\/)|(?=:\d)/).flatMap((part) => [h('wbr'), part]));
  return fragment;
}

/** A table: its first column names the row. */
export function table(
  head: string[],
  rows: Child[][],
  attributes: Attributes = {},
): HTMLTableElement {
  return h(
    'table',
    attributes,
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
    h(
      'tbody',
      {},
      ...rows.map(([name, ...cells]) =>
        h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', {}, cell))),
      ),
    ),
  );
}
