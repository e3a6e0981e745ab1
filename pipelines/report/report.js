/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the report together, and listens to what its reader wants. */
'use strict';

function toggle (id) {
  byId(id).checked = !byId(id).checked;
  shown[id] = byId(id).checked;
  refresh();
}

function goToFailure () {
  const from = currentIndex();
  const all = sheets.length;
  for (let step = 1; step <= all; step++) {
    const index = (from + step) % all;
    if (pages[index].status === 'error') {
      goToPage(index);
      return;
    }
  }
}

const keys = {
  j: () => goToPage(currentIndex() + 1),
  k: () => goToPage(currentIndex() - 1),
  f: goToFailure,
  o: () => toggle('order'),
  l: () => toggle('labels'),
  t: otherTheme,
  '+': () => setZoom(Number(byId('zoom').value) + 10),
  '-': () => setZoom(Number(byId('zoom').value) - 10),
  0: () => setZoom(100),
  ArrowRight: () => stepTo(1),
  ArrowLeft: () => stepTo(-1),
  '?': () => byId('keys').showModal(),
  '/': () => byId('search').hidden || byId('query').focus(),
  Escape: unselect,
};

function onKey (event) {
  if ((event.ctrlKey || event.metaKey) && event.key === 'p') {
    event.preventDefault();
    printAll();
    return;
  }
  const key = keyOf(event);
  if (Object.hasOwn(keys, key)) {
    event.preventDefault();
    keys[key](event);
  }
}

function regionOf (target) {
  const mark = target.closest?.('.region');
  const article = mark?.closest('article');
  return mark && { index: Number(article.dataset.index), at: Number(mark.dataset.at) };
}

function onPages (event) {
  const found = regionOf(event.target);
  if (!found || event.type === 'keydown' && !['Enter', ' '].includes(event.key))
    return;
  event.preventDefault();
  select(found.index, found.at);
}

/* #page-3 or #page-3-region-7 */
function followAddress () {
  const [, number, at] = location.hash.match(/^#page-(\d+)(?:-region-(\d+))?$/) ?? [];
  const index = pages.findIndex((page) => page.page === Number(number));
  if (index < 0)
    return;
  goToPage(index, at === undefined);
  if (at !== undefined && Number(at) < pages[index].regions.length)
    select(index, Number(at));
}

let scrolled = false;
function followScroll () {
  if (scrolled)
    return;
  scrolled = true;
  requestAnimationFrame(() => {
    scrolled = false;
    if (document.activeElement !== byId('number'))
      byId('number').value = pages[currentIndex()].page;
  });
}

function goToNumber () {
  const wanted = Number(byId('number').value);
  const index = pages.findIndex((page) => page.page >= wanted);
  goToPage(index < 0 ? pages.length - 1 : index, false);
}

/* A page as jsonsink writes it: characters that readers split text at are escaped. */
function lineOf (page) {
  const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(page).replace(/[\u007f\u0085\u2028\u2029]/g, escaped)}\n`;
}

function saveLines (event) {
  const url = URL.createObjectURL(new Blob(pages.map(lineOf), { type: 'application/x-ndjson' }));
  event.target.href = url;
  event.target.download = `${readData('data-facts').name.replace(/\.\w{3,4}$/, '')}.jsonl`;
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function listenToBar () {
  byId('previous').addEventListener('click', keys.k);
  byId('next').addEventListener('click', keys.j);
  byId('number').addEventListener('change', goToNumber);
  byId('zoom').addEventListener('input', (event) => setZoom(Number(event.target.value)));
  byId('theme').addEventListener('click', otherTheme);
  byId('help').addEventListener('click', keys['?']);
  byId('print').addEventListener('click', printAll);
  byId('download').addEventListener('click', saveLines);
}

function listenToSide () {
  byId('least').addEventListener('input', (event) => {
    shown.least = Number(event.target.value);
    byId('least-value').value = event.target.value;
    refresh();
  });
  for (const id of ['order', 'labels', 'orphans'])
    byId(id).addEventListener('change', (event) => { shown[id] = event.target.checked; refresh(); });
  byId('all').addEventListener('click', () => setHidden([]));
  byId('none').addEventListener('click', () => setHidden(counts.map(([label]) => label)));
  byId('query').addEventListener('input', () => search(true));
  byId('search').addEventListener('submit', (event) => { event.preventDefault(); search(false); });
}

function listen () {
  listenToBar();
  listenToSide();
  byId('pages').addEventListener('click', onPages);
  byId('pages').addEventListener('keydown', onPages);
  addEventListener('keydown', onKey);
  addEventListener('scroll', followScroll, { passive: true });
  addEventListener('hashchange', followAddress);
  addEventListener('beforeprint', () => { keepAll = true; sheets.forEach(build); });
  addEventListener('afterprint', clearFar);
}

function start () {
  byId('name').append(quote(readData('data-facts').name));
  byId('of').textContent = `of ${pages[0].pages ?? pages.length}`;
  byId('number').value = pages[0].page;
  byId('search').hidden = !pages.some((page) => page.regions.some((region) => region.text));
  byId('orphans-row').hidden = !pages.some((page) => page.orphans?.length);
  pages.forEach(addSheet);
  addSummary();
  addClasses();
  drawScores();
  countShown();
  listen();
  watchSheets();
  followAddress();
}

start();
