// Ctrl or Cmd with K opens the palette: type, choose with the arrows, open with Enter. "?" lists the
// shortcuts. Without this script its button leads to the same as a page.
(() => {
  const palette = document.getElementById('palette');
  const shortcuts = document.getElementById('shortcuts');
  if (!palette) return;
  const input = palette.querySelector('input');
  const found = document.getElementById('palette-found');
  let current = null; // the query that the list answers

  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of document.querySelectorAll('[data-modifier]')) key.textContent = '⌘';
  }

  const options = () => [...found.querySelectorAll('[role="option"]')];
  const chosen = () => found.querySelector('[aria-selected="true"]');
  const choose = (option) => {
    chosen()?.setAttribute('aria-selected', 'false');
    if (!option) return input.removeAttribute('aria-activedescendant');
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', option.id);
  };
  const move = (steps) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (all.length) choose(all[(at + steps + all.length) % all.length]);
  };
  const open = () => {
    if (palette.open) return;
    shortcuts.close();
    palette.showModal();
    input.select();
    htmx.trigger(input, 'asked');
  };

  input.addEventListener('keydown', (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!steps || event.isComposing) return;
    event.preventDefault();
    move(steps);
  });
  palette.querySelector('form').addEventListener('submit', (event) => {
    if (current !== input.value || !chosen()) return; // what is shown answers another question
    event.preventDefault();
    chosen().click();
  });
  found.addEventListener('htmx:beforeSwap', (event) => {
    const { xhr, requestConfig } = event.detail;
    if (new URL(xhr.responseURL).pathname !== requestConfig.path) { // sent to sign in again
      event.detail.shouldSwap = false;
      location.reload();
    }
    current = requestConfig.parameters.q ?? '';
  });
  found.addEventListener('htmx:afterSwap', () => choose(options()[0]));

  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      open();
    } else if (event.key === '?' && !event.target.matches('input, textarea, select') && !event.target.isContentEditable && !palette.open) {
      if (!shortcuts.open) shortcuts.showModal();
    }
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close]') || event.target.matches('dialog[open]')) event.target.closest('dialog').close();
    if (!event.target.closest('[data-palette]') || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
})();
