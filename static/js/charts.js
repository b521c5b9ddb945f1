// Draws every <canvas data-chart="id of its JSON"> as stacked bars, again when the theme changes.
(() => {
  const drawn = new Map();
  const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });
  const exact = new Intl.NumberFormat('en');
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

  const bars = ({ name, colour: number, values }) => ({
    label: name,
    data: values,
    backgroundColor: colour(`chart-${number}`),
    borderColor: colour('surface'),
    borderWidth: 1,
    borderRadius: 3,
    borderSkipped: false,
    barPercentage: 0.94,
    categoryPercentage: 0.94,
    maxBarThickness: 56,
  });

  const tooltip = ({ unit, titles }) => ({
    backgroundColor: colour('ink'),
    titleColor: colour('surface'),
    bodyColor: colour('surface'),
    footerColor: colour('surface'),
    boxPadding: 4,
    padding: 10,
    filter: (item) => item.raw > 0,
    itemSort: (a, b) => b.raw - a.raw,
    callbacks: {
      title: ([item]) => (item ? titles[item.dataIndex] : ''),
      label: (item) => `${item.dataset.label}: ${exact.format(item.raw)} ${unit}`,
      footer: (items) => `${exact.format(items.reduce((sum, item) => sum + item.raw, 0))} ${unit} in all`,
    },
  });

  const draw = (canvas) => {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const ticks = { color: colour('muted'), font: { family: 'inherit', size: 12 } };
    drawn.get(canvas)?.destroy();
    drawn.set(canvas, new Chart(canvas, {
      type: 'bar',
      data: { labels: data.labels, datasets: data.series.map(bars) },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: 'index', intersect: false },
        scales: {
          x: { stacked: true, grid: { display: false }, border: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 24 } },
          y: {
            stacked: true,
            beginAtZero: true,
            grid: { color: colour('chart-grid') },
            border: { display: false },
            title: { display: true, text: data.unit, color: colour('muted') },
            ticks: { ...ticks, maxTicksLimit: 6, precision: 0, callback: (value) => short.format(value) },
          },
        },
        plugins: { legend: { display: false }, tooltip: tooltip(data) },
      },
    }));
  };

  const drawAll = () => {
    for (const [canvas, chart] of drawn) {
      if (canvas.isConnected) continue;
      chart.destroy();
      drawn.delete(canvas);
    }
    document.querySelectorAll('canvas[data-chart]').forEach(draw);
  };

  drawAll();
  document.addEventListener('theme', drawAll);
  document.addEventListener('htmx:afterSettle', (event) => {
    if (event.target.querySelector?.('canvas[data-chart]')) drawAll();
  });
})();
