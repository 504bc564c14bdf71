// dom.ts: creates the content of the page from elements and text nodes. The page never parses HTML,
// because recorded words are untrusted: anyone may have edited the files.

type Child = Node | string | number | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined>;

/** Creates an element. Attributes and children that are `undefined` or `false` are left out. */
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

/** The element with this id in page.html. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Text with `code` between backticks. Not for recorded words. */
export function rich(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(
    ...text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part)),
  );
  return fragment;
}

/** A URL that can be broken after a dot or slash, and before the port. */
export function breakable(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(...text.split(/(?<=\.|[^/]\/)|(?=:\d)/).flatMap((part) => [h('wbr'), part]));
  return fragment;
}

/** A table whose first column is the header of each row. */
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
