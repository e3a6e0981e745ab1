/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pages. Each has its place from the start; picture and regions are there only while it is near the window, so that
 * a thousand pages cost what a few do. */
'use strict';

const pages = readData('data-pages');
const shown = { hidden: new Set(), least: 0, order: true, labels: true, orphans: false };
const sheets = []; /* one a page: { page, index, article, sheet, built, url, marks } */
const basis = 52; /* rem that a page is wide at a zoom of 100 % */
let selected = null; /* { index, at }: a region, by page and place */
let keepAll = false; /* while printing */

function isShown (region) {
  return region.score >= shown.least && !shown.hidden.has(region.label);
}

function factsOf (page) {
  const facts = [];
  if (page.status === 'ok')
    facts.push(counted(page.regions.length, 'region'));
  for (const [name, value] of Object.entries(page.timings_ms)) {
    if (value !== null)
      facts.push(`${name} ${rounded(value, 1)} ms`);
  }
  if (page.characters)
    facts.push(`${counted(page.characters.orphans, 'character')} outside regions`);
  return facts.join(' · ');
}

function addSheet (page, index) {
  const sheet = makeSheet(page);
  const name = `page-${page.page}`;
  const article = make('article', { class: 'page', id: name, 'aria-labelledby': `${name}-name`, tabindex: -1 },
    make('header', {}, make('h2', { id: `${name}-name` }, `Page ${page.page}`), ' ', quiet(factsOf(page))), sheet);
  article.style.setProperty('--ratio', sheet.style.getPropertyValue('--ratio'));
  if (page.status === 'error')
    sheet.append(makeReason(page.error));
  sheets.push({ page, index, article, sheet, built: false, url: null, marks: [] });
  byId('pages').append(article);
}

/* A path through points. */
function pathOf (points) {
  return points.map(([x, y], i) => `${i ? 'L' : 'M'}${rounded(x)} ${rounded(y)}`).join('');
}

/* An arrowhead in the middle of the way between two points. */
function arrowOf ([fromX, fromY], [toX, toY], size) {
  const length = Math.hypot(toX - fromX, toY - fromY) || 1;
  const [x, y] = [(fromX + toX) / 2, (fromY + toY) / 2];
  const [dx, dy] = [(toX - fromX) / length * size, (toY - fromY) / length * size];
  return `${pathOf([[x + dx, y + dy], [x - dx - dy, y - dy + dx], [x - dx + dy, y - dy - dx]])}Z`;
}

/* The reading order: along the centres of regions, from a dot at the first. */
function drawOrder (boxes, size) {
  const points = boxes.map((box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
  const arrows = points.slice(1).map((point, i) => arrowOf(points[i], point, size));
  return draw('g', { class: 'order', 'aria-hidden': true }, draw('path', { class: 'way', d: pathOf(points) }),
    draw('path', { class: 'arrow', d: arrows.join('') }),
    ...points.slice(0, 1).map(([x, y]) => draw('circle', { class: 'arrow', cx: x, cy: y, r: size })));
}

function tagOf (region, at) {
  const parts = [];
  if (shown.order)
    parts.push(at + 1);
  if (shown.labels)
    parts.push(visible(region.label), region.score.toFixed(2));
  return parts.join(' ');
}

function drawRegion (sheet, region, at, size) {
  const color = colorOf(region.label);
  const tag = tagOf(region, at);
  const place = `Region ${at + 1} of ${sheet.page.regions.length}`;
  const name = `${place}: ${visible(region.label)}, score ${region.score.toFixed(2)}`;
  const mark = draw('g', { class: 'region', role: 'button', tabindex: -1, 'aria-label': name, 'aria-pressed': false,
                           'data-at': at },
    drawBox(region.bbox, { stroke: color, fill: color, class: 'box' }));
  if (tag)
    mark.append(drawTag(tag, color, region.bbox, size));
  return mark;
}

/* The regions that are shown, the small ones on top so that each can be pointed at. The tab key stops at the first. */
function redraw (sheet) {
  const { page } = sheet;
  const size = Math.max(page.width / 78, 4);
  const list = page.regions.map((region, at) => ({ region, at })).filter(({ region }) => isShown(region));
  sheet.marks = [];
  const svg = drawPage(page, { role: 'group', 'aria-label': `Regions of page ${page.page}` });
  if (shown.orphans)
    svg.append(...(page.orphans ?? []).map((line) => drawBox(line.bbox, { class: 'orphan' })));
  if (shown.order)
    svg.append(drawOrder(list.map(({ region }) => region.bbox), size / 2));
  for (const { region, at } of list.toSorted((a, b) => area(b.region.bbox) - area(a.region.bbox)))
    svg.append(sheet.marks[at] = drawRegion(sheet, region, at, size));
  sheet.marks[list[0]?.at]?.setAttribute('tabindex', 0);
  sheet.sheet.querySelector('svg')?.remove();
  sheet.sheet.append(svg);
  if (selected?.index === sheet.index)
    markSelected(true);
}

function build (sheet) {
  if (sheet.built || sheet.page.status === 'error')
    return;
  sheet.built = true;
  sheet.url = pictureUrl(sheet.page.page);
  if (sheet.url)
    sheet.sheet.append(makePicture(sheet.url, `Page ${sheet.page.page} as it was rendered`));
  redraw(sheet);
}

function clear (sheet) {
  if (!sheet.built || keepAll)
    return;
  sheet.built = false;
  sheet.marks = [];
  if (sheet.url)
    URL.revokeObjectURL(sheet.url);
  sheet.sheet.replaceChildren();
}

function redrawAll () {
  sheets.filter((sheet) => sheet.built).forEach(redraw);
}

/* The first page that is not above the window. */
function currentIndex () {
  const top = document.querySelector('.bar').offsetHeight + 40;
  let low = 0, high = sheets.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sheets[middle].article.getBoundingClientRect().bottom > top)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

function goToPage (index, focus = true) {
  const sheet = sheets[Math.min(Math.max(index, 0), sheets.length - 1)];
  build(sheet);
  sheet.article.scrollIntoView({ block: 'start' });
  if (focus)
    sheet.article.focus({ preventScroll: true });
}

function markSelected (on) {
  const mark = selected && sheets[selected.index].marks[selected.at];
  mark?.classList.toggle('selected', on);
  mark?.setAttribute('aria-pressed', on);
}

/* Pages wider or narrower by `zoom` per cent; what is looked at stays in the window. */
function setZoom (zoom) {
  const index = currentIndex();
  const before = sheets[index].article.getBoundingClientRect();
  const place = (before.top - 60) / before.height;
  byId('zoom').value = Math.min(Math.max(zoom, 20), 250);
  document.documentElement.style.setProperty('--page', `${basis * byId('zoom').value / 100}rem`);
  const after = sheets[index].article.getBoundingClientRect();
  if (before.top < 60)
    scrollBy(0, after.top - 60 - place * after.height);
}

function watchSheets () {
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries)
      (entry.isIntersecting ? build : clear)(sheets[entry.target.dataset.index]);
  }, { rootMargin: '100% 0px' });
  for (const sheet of sheets) {
    sheet.article.dataset.index = sheet.index;
    observer.observe(sheet.article);
  }
}

/* After printing: only what is near the window again. */
function clearFar () {
  keepAll = false;
  for (const sheet of sheets) {
    const { top, bottom } = sheet.article.getBoundingClientRect();
    if (bottom < -innerHeight || top > 2 * innerHeight)
      clear(sheet);
  }
}

/* All pages with their pictures, as a printer needs them. */
async function printAll () {
  keepAll = true;
  sheets.forEach(build);
  await Promise.all([...document.querySelectorAll('.sheet img')].map((image) => image.decode().catch(() => null)));
  print();
}
