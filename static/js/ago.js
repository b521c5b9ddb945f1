// Keeps <time data-ago> true, and the title of <time data-ago-title>: "4 s ago" must not stand
// there for an hour.
(() => {
  const AGES = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

  const words = (moment) => {
    const seconds = Math.floor((Date.now() - moment) / 1000);
    const age = AGES.find(([size]) => seconds >= size);
    return age ? `${Math.floor(seconds / age[0])} ${age[1]} ago` : 'now';
  };
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const now = words(new Date(time.dateTime));
      if (time.textContent !== now) time.textContent = now;
    }
    for (const time of document.querySelectorAll('time[data-ago-title]')) {
      time.title = words(new Date(time.dateTime));
    }
  }, 1000);
})();
