/** Building the page's elements: the few lines that a framework would otherwise be needed for. */

type Listener = (event: never) => void;
type Attribute = string | number | boolean | null | undefined;
export type Child = Node | string | null | undefined | false;

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Record<string, Attribute | Listener> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(name, value as EventListener);
    } else {
      setAttribute(element, name, value);
    }
  }
  append(element, children);
  return element;
}

export function append(parent: Element, children: Child[]): void {
  for (const child of children) {
    if (child) parent.append(child);
  }
}

export function setAttribute(element: Element, name: string, value: Attribute): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Writes only what changed, so that screen readers and selections are left alone. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element as E;
}

export function button(
  className: string,
  label: Child[] | string,
  onClick: (event: MouseEvent) => void,
): HTMLButtonElement {
  const children = typeof label === "string" ? [label] : label;
  return h("button", { type: "button", class: `button ${className}`, click: onClick }, ...children);
}
