// Loaded before anything is drawn: the chosen theme, so that no page flashes in the other one.
(() => {
  const root = document.documentElement;
  root.dataset.js = '';
  const chosen = () => localStorage.getItem('theme') ?? 'system';

  const show = () => {
    if (chosen() === 'system') delete root.dataset.theme;
    else root.dataset.theme = chosen();
    for (const button of document.querySelectorAll('[data-choose-theme]')) {
      button.setAttribute('aria-pressed', String(button.dataset.chooseTheme === chosen()));
    }
    document.dispatchEvent(new CustomEvent('theme'));
  };

  show();
  addEventListener('storage', show);
  addEventListener('beforeprint', () => { // also what is drawn on a canvas
    root.dataset.theme = 'light';
    document.dispatchEvent(new CustomEvent('theme'));
  });
  addEventListener('afterprint', show);
  addEventListener('DOMContentLoaded', show);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-print]')) print();
    const button = event.target.closest('[data-choose-theme]');
    if (!button) return;
    localStorage.setItem('theme', button.dataset.chooseTheme);
    show();
  });
})();
