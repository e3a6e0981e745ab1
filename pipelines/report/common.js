/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the report of a document and the comparison of two results share: elements, text of strangers, colours of
 * labels, pictures. Text goes into the page as text only, never as markup. */
'use strict';

/* An element with attributes, listeners (functions, named by event) and children; text is a child too. */
function make (name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/* The same in SVG. */
function draw (name, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function fill (element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function')
      element.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

function byId (id) {
  return document.getElementById(id);
}

function readData (id) {
  return JSON.parse(byId(id).textContent);
}

/* A character that is not seen as itself: a control character as its picture, another one by its number. */
function picture (c) {
  const code = c.codePointAt(0);
  const number = code.toString(16).toUpperCase().padStart(4, '0');
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `[U+${number}]`;
}

/* Text in which control characters, and characters that turn its direction or that nothing is seen of, are visible. */
function visible (text) {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, picture);
}

/* Text of a page, which keeps its lines and may be of any script: only control characters, and overrides of direction,
 * which no script needs, are made visible. */
function visibleLines (text) {
  return text.replace(/[\u202d\u202e]|(?![\n\t])\p{Cc}/gu, picture);
}

/* A stranger's text in a line of ours. */
function quote (text) {
  return make('bdi', {}, visible(text));
}

function quiet (text) {
  return make('span', { class: 'quiet' }, text);
}

/* A table with the first cell of each row as its heading. Cells are text or elements. */
function makeTable (caption, head, rows) {
  return make('table', {}, make('caption', {}, caption),
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    make('tbody', {}, ...rows.map(([name, ...cells]) => make('tr', {}, make('th', { scope: 'row' }, name),
      ...cells.map((cell) => make('td', {}, cell))))));
}

/* What is known, as names and values. */
function makeFacts (rows) {
  const parts = rows.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, quote(value))]);
  return make('dl', { class: 'facts' }, ...parts);
}

/* Why a page failed, in its place. */
function makeReason (error) {
  return make('p', { class: 'reason' }, make('strong', {}, 'This page failed: '), quote(error));
}

function swatch (label) {
  const spot = make('span', { class: 'swatch' });
  spot.style.background = colorOf(label);
  return spot;
}

/* A place for a page that has its shape before anything is in it. */
function makeSheet ({ width, height }) {
  const sheet = make('div', { class: 'sheet' });
  sheet.style.setProperty('--ratio', width > 0 && height > 0 ? width / height : Math.SQRT1_2);
  return sheet;
}

function makePicture (url, alt) {
  return make('img', { src: url, alt, decoding: 'async', draggable: 'false' });
}

function drawPage ({ width, height }, attributes) {
  return draw('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', ...attributes });
}

/* The colours that layoutoverlay draws labels in; gst/gstdoclabels.c, which says where they come from. */
const meanings = [
  ['#332288', 'text paragraph plain_text abstract content aside_text vertical_text'],
  ['#cc6677', 'title section_header doc_title paragraph_title heading'],
  ['#117733', 'figure picture image chart photo header_image footer_image seal'],
  ['#88ccee', 'table document_index form key_value_region'],
  ['#ddcc77', 'caption figure_caption table_caption formula_caption figure_title table_title chart_title'],
  ['#999933', 'header footer page_header page_footer number page_number abandon'],
  ['#aa4499', 'formula equation display_formula inline_formula isolate_formula formula_number code algorithm'],
  ['#882255', 'reference reference_content footnote table_footnote vision_footnote'],
  ['#44aa99', 'list list_item checkbox_selected checkbox_unselected'],
].map(([color, labels]) => [color, labels.split(' ')]);

/* FNV-1a, 32 bits, of the label's UTF-8. */
function hashOf (label) {
  return new TextEncoder().encode(label).reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261);
}

function colorOf (label) {
  const name = label.replace(/[A-Z]/g, (c) => c.toLowerCase()).replace(/[- ]/g, '_');
  const known = meanings.find(([, labels]) => labels.includes(name));
  return (known ?? meanings[hashOf(label) % meanings.length])[0];
}

/* Black or white, whichever is easier to read on a colour (relative luminance, WCAG 2.1). */
function contrasting (color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000000' : '#ffffff';
}

const pictures = new Map([...document.querySelectorAll('script.picture')].map((block) => [block.dataset.page, block]));

/* A URL of a page's picture, which is to be revoked, or null where there is none. */
function pictureUrl (number) {
  const block = pictures.get(String(number));
  if (!block)
    return null;
  const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: block.dataset.type }));
}

const canvas = document.createElement('canvas').getContext('2d');
const widths = new Map();

/* How wide a text is in the font of tags, at one pixel of size. */
function widthOf (text) {
  if (!widths.has(text)) {
    canvas.font = '600 100px sans-serif';
    widths.set(text, canvas.measureText(text).width / 100);
  }
  return widths.get(text);
}

/* A tag in a colour at the box's upper left, above it where there is room. */
function drawTag (text, color, box, size) {
  const height = size * 1.35;
  const y = box[1] >= height ? box[1] - height : box[1];
  return draw('g', { class: 'tag' },
    draw('rect', { x: box[0], y, width: widthOf(text) * size + size * 0.6, height, fill: color }),
    draw('text', { x: box[0] + size * 0.3, y: y + size, 'font-size': size, fill: contrasting(color) }, text));
}

function drawBox ([x, y, right, bottom], attributes = {}) {
  return draw('rect', { x, y, width: Math.max(right - x, 0), height: Math.max(bottom - y, 0), ...attributes });
}

function area (box) {
  return Math.max(box[2] - box[0], 0) * Math.max(box[3] - box[1], 0);
}

/* A number with at most so many decimals, without zeros at its end. */
function rounded (value, decimals = 2) {
  return String(Number(value.toFixed(decimals)));
}

function counted (count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/* The theme that was not the one shown. */
function otherTheme () {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}

/* A key that is meant for the page, not for what is being typed or a shortcut of the browser's. */
function keyOf (event) {
  const typing = event.target.closest?.('input:not([type=checkbox]), select, textarea, dialog');
  return event.ctrlKey || event.metaKey || event.altKey || typing ? null : event.key;
}
