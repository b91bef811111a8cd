// Finding things in the window as a person with a screen reader does: by role and accessible name.

/** Runs in the page: the first visible element of a role whose name is, or with a leading "~" contains, `name`. */
export function findByRole(role, name, enabledOnly) {
  const selectors = {
    button: 'button, [role=button], summary',
    textbox: 'input:not([type=checkbox]):not([type=radio]):not([type=search]), textarea, [role=textbox]',
    searchbox: 'input[type=search], [role=searchbox]',
    combobox: 'select, [role=combobox]',
    option: 'option, [role=option]',
    radio: 'input[type=radio], [role=radio], [role=menuitemradio]',
    menuitem: '[role=menuitem]',
    link: 'a[href]',
    dialog: 'dialog, [role=dialog], [role=alertdialog]',
    listitem: 'li, [role=listitem], [role=option]',
    heading: 'h1, h2, h3, h4, [role=heading]',
  };
  const nameOf = (element) => {
    const labelled = element.getAttribute('aria-labelledby');
    if (labelled) {
      const text = labelled.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
      if (text.trim()) return text;
    }
    return (
      element.getAttribute('aria-label') ||
      [...(element.labels ?? [])].map((label) => label.textContent).join(' ') ||
      (element.matches('input, textarea, select') ? element.getAttribute('placeholder') : element.textContent) ||
      element.getAttribute('title') ||
      ''
    );
  };
  const clean = (text) => text.replace(/\s+/g, ' ').trim();
  for (const element of document.querySelectorAll(selectors[role] ?? role)) {
    if (element.getClientRects().length === 0) continue;
    if (getComputedStyle(element).visibility === 'hidden') continue;
    if (enabledOnly && (element.disabled || element.getAttribute('aria-disabled') === 'true')) continue;
    const own = clean(nameOf(element));
    if (name.startsWith('~') ? own.includes(name.slice(1)) : own === name) return element;
  }
  return null;
}

/** Runs in the page: what could have been found, for the error of a search that failed. */
export function visibleNames() {
  return [...document.querySelectorAll('button, input, textarea, select, [role=menuitemradio], [role=option]')]
    .filter((element) => element.getClientRects().length > 0)
    .map((element) => (element.getAttribute('aria-label') || element.textContent || element.name || element.tagName).trim())
    .map((name) => name.replace(/\s+/g, ' ').slice(0, 40))
    .join(' | ');
}
