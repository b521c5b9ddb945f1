// What static/js/charts.js needs of Chart.js, and no more; `npm run vendor` makes one file of it.
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from 'chart.js';

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);
globalThis.Chart = Chart;
