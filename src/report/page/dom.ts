/** Elements. What comes from a capture becomes text here, never markup. */

type Child = Node | string | number | null
type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>

/** Makes an element; attributes that are functions listen, `true` is an empty attribute, `false` none. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value)
    else if (value !== false) element.setAttribute(key, value === true ? '' : String(value))
  }
  element.append(...children.filter(child => child !== null).map(child => (typeof child === 'number' ? String(child) : child)))
  return element
}

/** An element of the page that is there. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`#${CSS.escape(id)}`)
  if (found === null) throw new Error(`the page has no element ${id}`)
  return found
}

/** Tells who can't see what changed. */
export function announce(text: string): void {
  byId('status').textContent = text
}
