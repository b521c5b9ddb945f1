// A menu, <details data-menu>, closes when somebody clicks elsewhere or presses Escape.
(() => {
  const close = (except) => {
    for (const menu of document.querySelectorAll('details[data-menu][open]')) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener('click', (event) => close(event.target));
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(null); });
})();
