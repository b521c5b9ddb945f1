// What is marked data-live asks for news every two seconds, while somebody looks at the page and
// has not paused it with the button marked data-pause.
(() => {
  const EVERY = 2000;

  const page = document.documentElement;
  const poll = () => {
    if (document.hidden || page.hasAttribute('data-paused')) return;
    for (const element of document.querySelectorAll('[data-live]')) htmx.trigger(element, 'poll');
  };
  setInterval(poll, EVERY);
  document.addEventListener('visibilitychange', poll);
  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-pause]')) return;
    page.toggleAttribute('data-paused');
    poll();
  });

  const isLive = (event) => event.target.matches?.('[data-live]');
  const cutOff = (is) => page.toggleAttribute('data-cut-off', is);

  for (const trouble of ['htmx:sendError', 'htmx:responseError', 'htmx:timeout']) {
    document.addEventListener(trouble, (event) => { if (isLive(event)) cutOff(true); });
  }
  document.addEventListener('htmx:beforeSwap', (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status < 400) cutOff(false);
    // Sent elsewhere, as to the login page: the browser shall go there, not a part of this page.
    const asked = new URL(requestConfig.path, location.href).pathname;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
})();
