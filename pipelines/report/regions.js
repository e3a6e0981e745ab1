/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which regions are shown, which one is selected, and what is known of it. */
'use strict';

const counts = countLabels();
let query = '';

/* Labels with their regions, the most frequent first. */
function countLabels () {
  const byLabel = new Map();
  for (const page of pages) {
    for (const region of page.regions)
      byLabel.set(region.label, (byLabel.get(region.label) ?? 0) + 1);
  }
  return [...byLabel].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function countShown () {
  let regions = 0, on = 0;
  for (const page of pages) {
    const here = page.regions.filter(isShown).length;
    regions += here;
    on += here > 0;
  }
  byId('shown').value = `${counted(regions, 'region')} shown, on ${counted(on, 'page')}`;
}

let pending = false;
/* Shows the pages anew, once a frame however often a slider moves. */
function refresh () {
  if (pending)
    return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    redrawAll();
    countShown();
  });
}

function fitsQuery (region) {
  return query !== '' && (region.text ?? '').toLowerCase().includes(query);
}

/* Before the first region of the page in the window, or behind its last. */
function edgeOfPage (direction) {
  const index = currentIndex();
  return { index, at: direction > 0 ? -1 : pages[index].regions.length };
}

/* The next region (or the one before, with direction -1) that is shown and fits, behind a place or the page in the window;
 * it goes round at the end. */
function findRegion (direction, fits, start = selected ?? edgeOfPage(direction)) {
  const all = sheets.length;
  for (let step = 0; step <= all; step++) {
    const index = (start.index + direction * step + all) % all;
    const { regions } = sheets[index].page;
    const first = step === 0 ? start.at + direction : direction > 0 ? 0 : regions.length - 1;
    for (let at = first; at >= 0 && at < regions.length; at += direction) {
      if (isShown(regions[at]) && fits(regions[at]))
        return { index, at };
    }
  }
  return null;
}

function stepTo (direction, fits = () => true) {
  const found = findRegion(direction, fits);
  if (found)
    select(found.index, found.at);
  return found;
}

function unselect () {
  markSelected(false);
  selected = null;
  byId('details').hidden = true;
  document.body.classList.remove('with-details');
}

function setAddress (address) {
  try {
    history.replaceState(null, '', address);
  } catch {
    /* A browser that lets files have no history of their own: only the address bar stays as it was. */
  }
}

function select (index, at, moveFocus = true) {
  markSelected(false);
  selected = { index, at };
  const sheet = sheets[index];
  build(sheet);
  markSelected(true);
  showDetails(sheet, sheet.page.regions[at], at);
  setAddress(`#page-${sheet.page.page}-region-${at}`);
  const mark = sheet.marks[at];
  const place = mark?.getBoundingClientRect();
  if (place && (place.top < 80 || place.bottom > innerHeight))
    mark.scrollIntoView({ block: place.height < innerHeight - 100 ? 'center' : 'start', inline: 'nearest' });
  if (moveFocus)
    mark?.focus({ preventScroll: true });
}

function describe (page, region, at) {
  const rows = [
    ['Page', String(page.page)],
    ['Reading order', `${at + 1} of ${page.regions.length}`],
    ['Score', region.score.toFixed(4)],
    ['Pixels', region.bbox.map((v) => rounded(v)).join(', ')],
  ];
  if (region.bbox_pt)
    rows.push(['Points', region.bbox_pt.map((v) => rounded(v)).join(', ')]);
  return makeFacts(rows);
}

function describeText (region) {
  if (region.text === undefined || region.text === null)
    return make('p', {}, quiet('The result has no text: it was made without --text true.'));
  if (region.text === '')
    return make('p', {}, quiet('There is no text in this region.'));
  return make('pre', { dir: 'auto', tabindex: 0, 'aria-label': 'Text of the region' }, visibleLines(region.text));
}

function copyButton (region) {
  return make('button', { type: 'button', click: async (event) => {
    const { target } = event;
    await navigator.clipboard.writeText(JSON.stringify(region));
    target.textContent = 'Copied';
  } }, 'Copy as JSON');
}

function stepButton (direction, sign, name) {
  const title = `${name} (${sign})`;
  return make('button', { type: 'button', title, 'aria-label': name, click: () => stepTo(direction) }, sign);
}

function showDetails (sheet, region, at) {
  byId('details').replaceChildren(
    make('h2', {}, swatch(region.label), ' ', quote(region.label)),
    make('div', { class: 'group' }, stepButton(-1, '←', 'Previous region'), stepButton(1, '→', 'Next region'),
      ...navigator.clipboard ? [copyButton(region)] : [],
      make('button', { type: 'button', title: 'Close (Esc)', click: unselect }, 'Close')),
    describe(sheet.page, region, at), describeText(region));
  byId('details').hidden = false;
  document.body.classList.add('with-details');
}

function setHidden (labels) {
  shown.hidden = new Set(labels);
  for (const box of document.querySelectorAll('#classes input'))
    box.checked = !shown.hidden.has(counts[box.dataset.label][0]);
  refresh();
}

/* A switch for each class, and a button that goes from one of its regions to the next. */
function addClasses () {
  byId('classes').append(...counts.map(([label, count], place) => {
    const box = make('input', { type: 'checkbox', checked: true, 'data-label': place, change: (event) => {
      shown.hidden[event.target.checked ? 'delete' : 'add'](label);
      refresh();
    } });
    const goOn = make('button', {
      type: 'button', title: 'Go to the next one', 'aria-label': `${count}, go to the next ${visible(label)}`,
      click: () => stepTo(1, (region) => region.label === label),
    }, count.toLocaleString('en'));
    return make('li', {}, make('label', {}, box, ' ', swatch(label), ' ', quote(label)), goOn);
  }));
}

/* How many regions have which score, over the slider. */
function drawScores () {
  const bins = new Array(50).fill(0);
  for (const page of pages) {
    for (const region of page.regions)
      bins[Math.min(Math.max(Math.floor(region.score * 50), 0), 49)]++;
  }
  const most = Math.max(...bins, 1);
  byId('scores').append(draw('svg', { viewBox: '0 0 50 12', preserveAspectRatio: 'none' },
    draw('path', { d: bins.map((n, i) => n ? `M${i} 12V${12 - Math.max(n / most * 12, 0.4)}h.8V12Z` : '').join('') })));
}

/* The next region that has the text, or the selected one if it may stay. */
function search (stay) {
  query = byId('query').value.toLowerCase();
  const found = query && findRegion(1, fitsQuery, stay && selected ? { ...selected, at: selected.at - 1 } : undefined);
  if (found)
    select(found.index, found.at, false);
  const fitting = pages.flatMap((page) => page.regions).filter((region) => isShown(region) && fitsQuery(region));
  byId('found').value = query ? counted(fitting.length, 'region') : '';
}
