// A menu, <details data-menu>, closes when somebody clicks elsewhere or presses Escape; with none
// open, Escape follows the link marked data-escape.
(() => {
  const close = (except) => {
    for (const menu of document.querySelectorAll('details[data-menu][open]')) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener('click', (event) => close(event.target));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (document.querySelector('details[data-menu][open]')) close(null);
    else if (!event.target.matches('input, select')) document.querySelector('[data-escape]')?.click();
  });
})();
