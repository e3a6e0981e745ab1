/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The summary: facts, pages that failed, a table of classes, and what each page took. */
'use strict';

/* The smallest value that so large a part of all is not above (nearest rank). */
function quantile (sorted, part) {
  return sorted[Math.max(Math.ceil(sorted.length * part) - 1, 0)];
}

function ascending (values) {
  return values.toSorted((a, b) => a - b);
}

/* The values of a fact that pages have, each once. */
function listOnce (valueOf, most = Infinity) {
  const values = [...new Set(pages.map(valueOf))].filter((value) => value !== null);
  return [...values.slice(0, most), ...values.length > most ? ['…'] : []].join(', ') || 'none';
}

function nameOfModel ({ model }) {
  return model.name && `${model.name} (${model.sha256?.slice(0, 12) ?? 'unknown'})`;
}

/* How much of the text layer is in regions, where the result knows it. */
function textFact () {
  const counted = pages.map((page) => page.characters).filter((characters) => characters);
  const [all, inside] = ['page', 'regions'].map((key) => counted.reduce((sum, characters) => sum + characters[key], 0));
  const share = rounded(100 * inside / Math.max(all, 1), 1);
  return counted.length ? [['Text', `${share} % of ${all.toLocaleString('en')} characters are in regions`]] : [];
}

function addFacts () {
  const regions = pages.reduce((sum, page) => sum + page.regions.length, 0);
  const failed = pages.filter((page) => page.status === 'error').length;
  const well = Math.max(pages.length - failed, 1);
  byId('facts').append(makeFacts([
    ['Pages', pages.length.toLocaleString('en') + (failed ? `, ${failed} of them failed` : '')],
    ['Regions', `${regions.toLocaleString('en')}, ${rounded(regions / well, 1)} a page`],
    ...textFact(),
    ['Model', listOnce(nameOfModel)],
    ['Device', listOnce((page) => page.device)],
    ['Frames', listOnce((page) => `${page.width} × ${page.height}`, 4)],
    ['Document', listOnce((page) => page.document)],
  ]));
}

function pageLink (index, text = String(pages[index].page)) {
  return make('a', { href: `#page-${pages[index].page}`, click: (event) => {
    event.preventDefault();
    goToPage(index);
  } }, text);
}

function addFailures () {
  const failed = sheets.filter(({ page }) => page.status === 'error');
  const items = failed.map(({ page, index }) =>
    make('li', {}, pageLink(index, `Page ${page.page}`), ': ', quote(page.error)));
  if (items.length)
    byId('failures').append(make('h3', {}, 'Pages that failed'), make('ul', {}, ...items));
}

/* Ten bars, of scores 0 to 0.1 and so on. */
function drawSpark (scores) {
  const bins = new Array(10).fill(0);
  for (const score of scores)
    bins[Math.min(Math.max(Math.floor(score * 10), 0), 9)]++;
  const heights = bins.map((n) => n ? Math.max(n / Math.max(...bins) * 12, 1) : 0);
  const name = `Scores in tenths: ${bins.join(', ')}`;
  return draw('svg', { class: 'spark', viewBox: '0 0 40 12', role: 'img', 'aria-label': name },
    ...heights.map((height, i) => draw('rect', { x: i * 4, width: 3, y: 12 - height, height })));
}

/* Numbers of each label: regions by score, pages, share of the pages' area. */
function measureLabels () {
  const found = new Map(counts.map(([label]) => [label, { scores: [], pages: 0, area: 0 }]));
  let paper = 0;
  for (const page of pages) {
    paper += page.width * page.height;
    for (const label of new Set(page.regions.map((region) => region.label)))
      found.get(label).pages++;
    for (const region of page.regions) {
      found.get(region.label).scores.push(region.score);
      found.get(region.label).area += area(region.bbox);
    }
  }
  return [...found].map(([label, numbers]) => ({
    label, scores: ascending(numbers.scores), pages: numbers.pages, share: paper ? numbers.area / paper : 0,
  }));
}

function addTable () {
  const head = ['Class', 'Regions', 'Pages', 'Lowest score', 'Median', 'Highest', 'Scores', 'Area of pages'];
  const rows = measureLabels().map(({ label, scores, pages: on, share }) => [
    make('span', {}, swatch(label), ' ', quote(label)), scores.length.toLocaleString('en'), on.toLocaleString('en'),
    ...[0, 0.5, 1].map((part) => quantile(scores, part).toFixed(2)), drawSpark(scores),
    `${(share * 100).toFixed(1)} %`]);
  if (rows.length)
    byId('table').append(makeTable('Classes', head, rows));
}

const plotHeight = 90, plotWidth = 420, plotLeft = 52, widestBar = 24;

/* 1, 2 or 5 times a power of ten, from `value` up. */
function niceUp (value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((m) => m * power).find((nice) => nice >= value * 0.999);
}

/* From milliseconds to a place; logarithmic where few pages took very much longer than most. */
function scaleFor (sorted) {
  const most = Math.max(sorted.at(-1), 1e-3), middle = Math.max(quantile(sorted, 0.5), 1e-3);
  if (most <= 20 * middle) {
    const top = niceUp(most);
    return { ticks: [0, top / 2, top], logarithmic: false, y: (ms) => plotHeight - ms / top * plotHeight };
  }
  const low = Math.floor(Math.log10(Math.max(sorted[0], middle / 100))), high = Math.ceil(Math.log10(most));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const partOf = (ms) => (Math.log10(Math.max(ms, ticks[0])) - low) / (high - low);
  return { ticks, logarithmic: true, y: (ms) => plotHeight - partOf(ms) * plotHeight };
}

/* How far bars are from each other. */
function stepOf (values) {
  return Math.min(plotWidth / values.length, widestBar);
}

function drawBars (values, { y }) {
  const step = stepOf(values);
  const width = rounded(Math.max(step * 0.8, step - 1), 3);
  const bars = values.map((ms, i) => ms === null ? ''
    : `M${rounded(i * step, 3)} ${plotHeight}V${rounded(Math.min(y(ms), plotHeight - 0.5))}h${width}V${plotHeight}Z`);
  return draw('path', { class: 'bars', d: bars.join('') });
}

/* Under the pointer: which page, and what it took; a click goes there. */
function followPointer (svg, values, said) {
  const usual = said.textContent;
  const indexAt = (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * (plotLeft + plotWidth + 8) - plotLeft;
    return Math.min(Math.max(Math.floor(x / stepOf(values)), 0), values.length - 1);
  };
  svg.addEventListener('pointermove', (event) => {
    const index = indexAt(event);
    const value = values[index] === null ? 'not known' : `${rounded(values[index])} ms`;
    said.textContent = `page ${pages[index].page}: ${value}`;
  });
  svg.addEventListener('pointerleave', () => { said.textContent = usual; });
  svg.addEventListener('click', (event) => goToPage(indexAt(event), false));
}

function drawAxes (values, { ticks, y }) {
  const numbers = new Set([0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (values.length - 1))));
  return [
    ...ticks.map((ms) => draw('path', { class: 'grid', d: `M0 ${y(ms)}H${plotWidth}` })),
    ...ticks.map((ms) => draw('text', { x: -6, y: y(ms) + 4, 'text-anchor': 'end' },
      `${rounded(ms, 3)}${ms === ticks.at(-1) ? ' ms' : ''}`)),
    ...[...numbers].map((index) => draw('text', { x: (index + 0.5) * stepOf(values), y: plotHeight + 16,
                                                  'text-anchor': 'middle' }, String(pages[index].page))),
  ];
}

/* What pages took of one kind of time, where any is known. */
function addPlot (key, what) {
  const values = pages.map((page) => page.timings_ms[key] ?? null);
  const sorted = ascending(values.filter((ms) => ms !== null));
  if (!sorted.length)
    return;
  const [middle, nearly, most] = [0.5, 0.95, 1].map((part) => quantile(sorted, part));
  const scale = scaleFor(sorted);
  const said = quiet(`median ${rounded(middle)} ms, 95 % within ${rounded(nearly)} ms, most ${rounded(most)} ms`
    + (scale.logarithmic ? ' (the scale is logarithmic)' : ''));
  const svg = draw('svg', { class: 'plot', viewBox: `${-plotLeft} -8 ${plotLeft + plotWidth + 8} ${plotHeight + 28}`,
                            role: 'img', 'aria-label': `${key}, ${what}, by page: ${said.textContent}` },
  ...drawAxes(values, scale), drawBars(values, scale),
  draw('path', { class: 'median', d: `M0 ${scale.y(middle)}H${plotWidth}` }));
  const slowest = [...values.keys()].filter((index) => values[index] !== null)
    .sort((a, b) => values[b] - values[a]).slice(0, 5).flatMap((index, i) => [...i ? [', '] : [], pageLink(index)]);
  byId('timings').append(make('section', { class: 'timing' }, make('h3', {}, key, make('small', {}, ` ${what}`)), said,
    svg, make('p', { class: 'quiet' }, 'Slowest pages: ', ...slowest)));
  followPointer(svg, values, said);
}

function addSummary () {
  addFacts();
  addFailures();
  addTable();
  addPlot('render', 'drawing the page');
  addPlot('wait', 'from drawn to leaving the source');
  addPlot('infer', 'in the engine');
}
