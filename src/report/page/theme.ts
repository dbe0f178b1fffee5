/** Light or dark: as the system has it, or as chosen here; plots ask for colours and are told when they change. */
import { byId } from './dom.js'

type Theme = 'auto' | 'light' | 'dark'

const KEY = 'tcpskein-theme'
const listeners = new Set<() => void>()

/** Binds the switch. */
export function openTheme(): void {
  const inputs = [...byId('theme').querySelectorAll('input')]
  const saved = stored()
  for (const input of inputs) {
    input.checked = input.value === saved
    input.addEventListener('change', () => choose(input.value as Theme))
  }
  choose(saved)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell)
}

function choose(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // A page from disk may not keep anything.
  }
  tell()
}

function stored(): Theme {
  try {
    const saved = localStorage.getItem(KEY)
    return saved === 'light' || saved === 'dark' ? saved : 'auto'
  } catch {
    return 'auto'
  }
}

function tell(): void {
  for (const listener of listeners) listener()
}

/** Calls back when colours change; the function that it gives takes that back. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A colour of the style sheet by its name. */
export const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
