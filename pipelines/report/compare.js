/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two results side by side: one page at a time, those with the most changes first. */
'use strict';

const summary = readData('data-summary');
const pages = readData('data-pages');
const kinds = {
  missing: { mark: '−', color: '#b00020', what: 'missing in B' },
  new: { mark: '+', color: '#117733', what: 'new in B' },
  relabelled: { mark: '≠', color: '#aa4499', what: 'relabelled' },
  moved: { mark: '↔', color: '#b25a00', what: 'moved' },
  score: { mark: '%', color: '#0b5fce', what: 'with another score' },
  text: { mark: '¶', color: '#0b5fce', what: 'with other text' },
  reordered: { mark: '⇅', color: '#00757a', what: 'in another order' },
};
const states = {
  only_a: 'only in A', only_b: 'only in B', failed_a: 'failed in A only', failed_b: 'failed in B only',
};
const opposite = { a: 'b', b: 'a' };
const wanted = new Set(Object.keys(kinds));
let listed = []; /* indices of the pages in the list */
let current = -1; /* index of the page that is shown; -1: the summary */
let chosen = -1; /* index of the change that is pointed out */
let url = null; /* of the picture that is shown */

function isWanted (change) {
  return change.kinds.some((kind) => wanted.has(kind));
}

/* "3 moved, 1 new in B" of the numbers of each kind. */
function tellKinds (numbers) {
  return Object.keys(kinds).filter((kind) => numbers[kind]).map((kind) => `${numbers[kind]} ${kinds[kind].what}`);
}

function describeChanges (page) {
  const numbers = {};
  for (const kind of page.changes.flatMap((change) => change.kinds))
    numbers[kind] = (numbers[kind] ?? 0) + 1;
  return states[page.state] ?? [...page.resized ? ['another size of page'] : [], ...tellKinds(numbers)].join(', ');
}

function nameOf (page) {
  return page.document ? `${visible(page.document)}, page ${page.page}` : `Page ${page.page}`;
}

/* A box of one side's frame in the pixels of the other's. */
function carried (box, from, to) {
  return box.map((v, i) => i % 2 ? v * to.height / (from.height || 1) : v * to.width / (from.width || 1));
}

function drawUnchanged (region) {
  return draw('g', { class: 'unchanged' }, drawBox(region.bbox, { class: 'box' }),
    draw('title', {}, `${visible(region.label)} ${region.score.toFixed(2)}`));
}

/* A change as one side has it: its own box, and dashed that of the other side, where it is elsewhere. */
function drawChange (page, change, at, side, size) {
  const { mark: sign, color } = kinds[change.kinds[0]];
  const own = change[side] === null ? null : page[side].regions[change[side]];
  const other = change[opposite[side]] === null ? null : page[opposite[side]].regions[change[opposite[side]]];
  const mark = draw('g', { class: 'change', 'data-at': at });
  if (other && (!own || change.kinds.includes('moved')))
    mark.append(drawBox(carried(other.bbox, page[opposite[side]], page[side]), { class: 'ghost', stroke: color }));
  if (own)
    mark.append(drawBox(own.bbox, { class: 'box', stroke: color, fill: color }),
      drawTag(`${sign} ${visible(own.label)} ${own.score.toFixed(2)}`, color, own.bbox, size));
  return mark;
}

/* The regions of one side, what changed on top. */
function drawSide (page, side) {
  const here = page[side];
  const size = Math.max(here.width / 60, 4);
  const name = `Regions of ${side.toUpperCase()}; a table lists the changes`;
  const svg = drawPage(here, { role: 'img', 'aria-label': name });
  const unchanged = page.state === 'compared'
    ? page.changes.filter((change) => !change.kinds.length).map((change) => here.regions[change[side]]) : here.regions;
  if (byId('same').checked)
    svg.append(...unchanged.map(drawUnchanged));
  for (const [at, change] of page.changes.entries()) {
    if (isWanted(change))
      svg.append(drawChange(page, change, at, side, size));
  }
  return svg;
}

/* A page of one side, with its picture where there is one. */
function makeSide (page, side) {
  const here = page[side];
  const sheet = makeSheet(here ?? page[opposite[side]]);
  if (here?.status === 'error')
    sheet.append(makeReason(here.error));
  else if (here)
    sheet.append(...url ? [makePicture(url, '')] : [], drawSide(page, side));
  const fact = here ? counted(here.regions.length, 'region') : 'has no such page';
  return make('figure', {}, make('h3', {}, `${side.toUpperCase()} `, quiet(fact)), sheet);
}

function regionCells (region) {
  return region ? [quote(region.label), region.score.toFixed(2)] : ['–', '–'];
}

function showTexts (a, b) {
  return make('div', { class: 'texts' }, ...[['A', a], ['B', b]].map(([side, region]) =>
    make('pre', { dir: 'auto', 'aria-label': `Text in ${side}` }, visibleLines(region.text))));
}

/* The changes in a table. A row points its change out on the page; behind one with other text there are both texts. */
function changeTable (page) {
  const changes = [...page.changes.entries()].filter(([, change]) => isWanted(change));
  const sides = (change) => ['a', 'b'].map((side) => change[side] === null ? null : page[side].regions[change[side]]);
  const rows = changes.map(([, change]) => {
    const [a, b] = sides(change);
    return [change.kinds.map((kind) => `${kinds[kind].mark} ${kinds[kind].what}`).join(', '), ...regionCells(a),
            ...regionCells(b), change.iou?.toFixed(3) ?? '–', a && b ? (b.score - a.score).toFixed(2) : '–'];
  });
  const table = makeTable('Changes', ['Change', 'A', 'Score', 'B', 'Score', 'IoU', 'Score, B − A'], rows);
  for (const [i, row] of [...table.tBodies[0].rows].entries()) {
    const [at, change] = changes[i];
    fill(row, { class: 'row', 'data-at': at, tabindex: 0, click: () => point(at), focus: () => point(at) }, []);
    if (change.kinds.includes('text'))
      row.after(make('tr', {}, make('td', { colspan: 7 }, showTexts(...sides(change)))));
  }
  return make('div', { class: 'scroll' }, table);
}

/* Points a change out on both sides and in the table. */
function point (at) {
  chosen = at;
  for (const element of document.querySelectorAll('[data-at]'))
    element.classList.toggle('chosen', Number(element.dataset.at) === at);
}

/* The next change, in the window on the page rather than in the table. */
function stepChange (direction) {
  const rows = [...document.querySelectorAll('.row')];
  const place = rows.findIndex((row) => Number(row.dataset.at) === chosen);
  const next = place < 0 ? (direction > 0 ? 0 : rows.length - 1) : (place + direction + rows.length) % rows.length;
  rows[next]?.focus({ preventScroll: true });
  document.querySelector('.chosen .box')?.scrollIntoView({ block: 'nearest' });
}

function pageParts (page) {
  url = pictureUrl(page.page);
  return [make('h2', {}, nameOf(page), ' ', quiet(describeChanges(page))),
          make('div', { class: 'pair' }, makeSide(page, 'a'), makeSide(page, 'b')),
          ...page.changes.some(isWanted) ? [changeTable(page)] : []];
}

function describeSide ({ file, pages: count, failed, regions, models, devices }) {
  return [file, counted(count, 'page') + (failed ? `, ${failed} failed` : ''), counted(regions, 'region'),
          models.join(', ') || 'no model', devices.join(', ') || 'no device'].join(' · ');
}

function factsOf () {
  const { regions, pages: sums, limits } = summary;
  const lost = Object.entries(states).filter(([state]) => sums[state]).map(([state, what]) => `${sums[state]} ${what}`);
  return [
    ['A', describeSide(summary.a)],
    ['B', describeSide(summary.b)],
    ['Pages', [`${sums.compared} compared`, ...lost, `${sums.differing} differ`].join(', ')],
    ['Regions', [`${regions.same} the same`, ...tellKinds(regions)].join(', ')],
    ['Matched', regions.mean_iou === null ? 'none'
      : `mean IoU ${regions.mean_iou}, mean difference of scores ${regions.mean_score_difference}`],
    ['Limits', `the same from IoU ${limits.iou}, moved below ${limits.moved}, `
      + `another score above a difference of ${limits.score}`],
  ];
}

function labelTable () {
  const head = ['Class', 'A', 'B', 'Same', ...Object.values(kinds).map(({ what }) => what)];
  const rows = Object.entries(summary.labels).map(([label, numbers]) => [quote(label),
    ...['a', 'b', 'same', ...Object.keys(kinds)].map((key) => numbers[key] ? String(numbers[key]) : quiet('0'))]);
  return make('div', { class: 'scroll' }, makeTable('Classes', head, rows));
}

function relabelledTable () {
  const rows = summary.relabelled.toSorted((a, b) => b.regions - a.regions);
  return makeTable('Relabelled', ['In A', 'In B', 'Regions'],
    rows.map(({ from, to, regions }) => [quote(from), quote(to), String(regions)]));
}

function summaryParts () {
  const left = summary.pages.differing - pages.length;
  const note = `The ${pages.length} pages with the most changes are here, ${left} others that differ are not (--most).`;
  return [make('h2', {}, summary.same ? 'Nothing changed' : 'Summary'), makeFacts(factsOf()),
          ...left > 0 ? [make('p', {}, note)] : [], labelTable(),
          ...summary.relabelled.length ? [relabelledTable()] : []];
}

/* Shows a page, or the summary for -1. */
function show (index, focus = true) {
  if (url)
    URL.revokeObjectURL(url);
  url = null;
  chosen = -1;
  current = index;
  byId('main').replaceChildren(...index < 0 ? summaryParts() : pageParts(pages[index]));
  byId('to-summary').setAttribute('aria-current', index < 0);
  for (const button of document.querySelectorAll('#list button'))
    button.setAttribute('aria-current', Number(button.dataset.index) === index);
  document.querySelector('#list [aria-current=true]')?.scrollIntoView({ block: 'nearest' });
  byId('position').value = `${index < 0 ? '–' : listed.indexOf(index) + 1} of ${listed.length}`;
  scrollTo(0, 0);
  if (focus)
    byId('main').focus({ preventScroll: true });
}

/* Pages with a change of a kind that is wanted; pages that one side has not are always listed. */
function fillList () {
  listed = [...pages.keys()].filter((index) =>
    pages[index].state !== 'compared' || pages[index].resized || pages[index].changes.some(isWanted));
  byId('list').replaceChildren(...listed.map((index) => make('li', {},
    make('button', { type: 'button', 'data-index': index, click: () => show(index) },
      make('strong', {}, nameOf(pages[index])), ' ', quiet(describeChanges(pages[index]))))));
  show(listed.includes(current) ? current : -1, false);
}

function addKinds () {
  byId('kinds').append(...Object.entries(kinds).map(([kind, { mark, color, what }]) => {
    const box = make('input', { type: 'checkbox', checked: true, change: (event) => {
      wanted[event.target.checked ? 'add' : 'delete'](kind);
      fillList();
    } });
    const sign = make('b', { class: 'sign' }, mark);
    sign.style.background = color;
    return make('li', {}, make('label', {}, box, sign, what), quiet(String(summary.regions[kind])));
  }));
}

/* On in the list, from the summary to its first page. */
function step (direction) {
  const place = listed.indexOf(current) + direction;
  if (place >= -1 && place < listed.length)
    show(place < 0 ? -1 : listed[place]);
}

function toggleSame () {
  byId('same').checked = !byId('same').checked;
  show(current, false);
}

const keys = {
  j: () => step(1), k: () => step(-1), s: () => show(-1), u: toggleSame, t: otherTheme,
  ArrowRight: () => stepChange(1), ArrowLeft: () => stepChange(-1), '?': () => byId('keys').showModal(),
};

function onKey (event) {
  const key = keyOf(event);
  if (Object.hasOwn(keys, key)) {
    event.preventDefault();
    keys[key]();
  }
}

function start () {
  const [a, b] = [summary.a.file, summary.b.file].map((file) => quote(file.split('/').at(-1)));
  byId('name').append(a, ' → ', b);
  addKinds();
  fillList();
  byId('previous').addEventListener('click', keys.k);
  byId('next').addEventListener('click', keys.j);
  byId('to-summary').addEventListener('click', keys.s);
  byId('same').addEventListener('change', () => show(current, false));
  byId('theme').addEventListener('click', otherTheme);
  byId('help').addEventListener('click', keys['?']);
  addEventListener('keydown', onKey);
  byId('main').addEventListener('click', (event) => {
    const mark = event.target.closest('.change');
    if (mark)
      point(Number(mark.dataset.at));
  });
}

start();
