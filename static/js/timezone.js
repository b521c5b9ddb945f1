// Tells the server the viewer's time zone: the browser's own, or the one chosen with a select.
(() => {
  const YEAR = 31536000;
  const own = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';

  const tell = () => {
    const zone = localStorage.getItem('timezone') ?? own();
    const secure = location.protocol === 'https:' ? '; secure' : '';
    document.cookie = `timezone=${zone}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
  };

  tell();
  document.addEventListener('change', (event) => {
    if (!event.target.matches('[data-timezone]')) return;
    localStorage.setItem('timezone', event.target.value);
    tell();
  });
})();
