// The keyboard: "/" goes to the search field, "g" and a letter to the link that names it.
(() => {
  let going = 0;
  const typing = (element) => element.isContentEditable || element.matches('input, textarea, select');

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === '/') {
      const search = document.querySelector('[type="search"]');
      if (!search) return;
      event.preventDefault();
      search.focus();
    } else if (event.key === 'g') {
      going = event.timeStamp;
    } else if (event.timeStamp - going < 1500) {
      going = 0;
      document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`)?.click();
    }
  });
})();
