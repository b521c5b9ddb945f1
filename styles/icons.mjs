// Prints one SVG with every icon that the pages use, each a symbol named like its Lucide original.
import { readFileSync } from 'node:fs';

const NAMES = `activity arrow-right book-open boxes building-2 chart-column check chevron-down chevron-left
  chevron-right chevrons-up-down circle-alert circle-check circle-user-round clock copy credit-card download ellipsis
  external-link eye gauge gift hourglass inbox info key-round layers layout-dashboard life-buoy lock log-out mail megaphone menu message-square monitor moon
  pause play plug plus receipt refresh-cw route scroll-text search send settings shield-alert shield-check siren sliders-horizontal square sun terminal toggle-right trash-2
  triangle-alert users webhook wrench x zap`.split(/\s+/);

const symbols = NAMES.map((name) => {
  const source = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, 'utf8');
  const drawing = source.match(/<svg[^>]*>([^]*)<\/svg>/)[1].replace(/\s*\n\s*/g, '');
  return `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`;
});

console.log(`<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>`);
