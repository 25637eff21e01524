// The start of the page: what is read, which table is shown, and the key.

import * as api from '/_/api/api.js';
import { read } from '/_/api/document.js';
import { element, prose } from '/_/api/element.js';
import { columns, heading, parametersOf, relations } from '/_/api/table.js';
import { panel } from '/_/api/try.js';

const at = (id) => document.getElementById(id);
const state = { settings: null, model: null, allowed: new Map(), open: new Set(['curl']) };

const KINDS = {
  none: 'no key',
  publishable: 'publishable key',
  secret: 'secret key: passes every rule',
  token: 'a token',
  unknown: 'not a key of a project',
};

async function start() {
  state.settings = await api.settings();
  if (!api.key.get() && state.settings.key) api.key.set(state.settings.key);
  at('key').value = api.key.get();
  at('project').textContent = state.settings.project;
  document.title = `${state.settings.project} · API reference`;
  await load();
  window.addEventListener('hashchange', () => show(true));
  at('key-form').addEventListener('submit', changeKey);
  at('key').addEventListener('change', changeKey);
  at('key-show').addEventListener('click', showKey);
  at('search').addEventListener('input', menu);
  // The address says which table is shown, so this link may not change it.
  document.querySelector('.skip').addEventListener('click', (event) => (event.preventDefault(), at('content').focus()));
}

/** Reads the description, and what of it the key opens. */
async function load() {
  const key = api.key.get();
  const whole = state.settings.described || key ? await api.description(key) : null;
  const opened = state.settings.described ? await api.allowed(key) : whole;
  state.model = whole && read(whole);
  state.allowed = new Map();
  const things = opened ? read(opened) : { tables: [], functions: [] };
  for (const thing of [...things.tables, ...things.functions]) state.allowed.set(thing.path, thing.methods);
  menu();
  show(false);
  // Last, so that what stands below is what the key named here opens.
  at('key-role').textContent = KINDS[api.keyKind(key)];
  at('key-role').dataset.kind = api.keyKind(key);
}

async function changeKey(event) {
  event.preventDefault();
  const key = at('key').value.trim();
  if (key === api.key.get() && state.model) return;
  api.key.set(key);
  await load();
}

function showKey() {
  const isShown = at('key').type === 'text';
  at('key').type = isShown ? 'password' : 'text';
  at('key-show').textContent = isShown ? 'Show' : 'Hide';
  at('key-show').setAttribute('aria-pressed', String(!isShown));
}

function menu() {
  if (!state.model) return at('menu').replaceChildren();
  const wanted = at('search').value.trim().toLowerCase();
  const { tables, functions } = state.model;
  const groups = [
    ['Tables', tables.filter((table) => !table.isView)],
    ['Views', tables.filter((table) => table.isView)],
    ['Functions', functions],
  ];
  const shown = groups.map(([title, things]) => [title, things.filter((thing) => thing.name.toLowerCase().includes(wanted))]).filter(([, things]) => things.length);
  const { name: current } = place();
  const entry = (thing) => {
    const isOpen = state.allowed.has(thing.path);
    return element(
      'li',
      {},
      element('a', { href: `#/${encodeURIComponent(thing.name)}`, 'aria-current': thing.name === current ? 'page' : null, class: isOpen ? null : 'closed', title: isOpen ? null : 'Not with this key' }, element('span', {}, thing.name), isOpen ? null : element('span', { class: 'lock' }, 'secret')),
    );
  };
  at('menu').replaceChildren(...(shown.length ? shown.map(([title, things]) => element('div', { class: 'group' }, element('h2', {}, title), element('ul', {}, things.map(entry)))) : [element('p', { class: 'quiet' }, 'Nothing is called so.')]));
}

/** The table that the address names, and the form that came along. */
function place() {
  const [path, form] = location.hash.replace(/^#\/?/, '').split('?');
  try {
    return { name: decodeURIComponent(path), form: form ? JSON.parse(decodeURIComponent(form)) : undefined };
  } catch {
    return { name: '', form: undefined };
  }
}

function show(isMove) {
  const { name, form } = place();
  const content = at('content');
  menu();
  if (!state.model) content.replaceChildren(...locked());
  else {
    const thing = [...state.model.tables, ...state.model.functions].find((thing) => thing.name === name);
    content.replaceChildren(...(thing ? detail(thing, form) : overview(name)));
  }
  if (isMove) {
    window.scrollTo(0, 0);
    content.focus({ preventScroll: true });
  }
}

function detail(thing, form) {
  const isFunction = Boolean(thing.parameters);
  const kind = isFunction ? 'Function' : thing.isView ? 'View' : 'Table';
  const context = { key: api.key.get, codes: state.model.codes, open: state.open };
  const allowed = state.allowed.get(thing.path) ?? [];
  return [
    heading(thing, kind, allowed),
    allowed.length ? null : element('p', { class: 'notice' }, 'Your key does not open this. The secret key does: put it into the field at the top. ', element('code', {}, 'mainstay keys'), ' prints it.'),
    panel(thing, context, form),
    isFunction ? parametersOf(thing) : columns(thing),
    isFunction ? null : relations(thing),
  ].filter(Boolean);
}

function overview(name) {
  const { tables, functions } = state.model;
  const card = (thing) =>
    element('li', {}, element('a', { href: `#/${encodeURIComponent(thing.name)}` }, thing.name), thing.description ? prose(thing.description.split('\n\n')[0]) : element('p', { class: 'quiet' }, thing.columns ? `${thing.columns.length} columns` : 'A function'));
  return [
    name ? element('p', { class: 'notice' }, `There is no ${name} here, or your key does not show it.`) : null,
    element('header', { class: 'thing' }, element('p', { class: 'kind' }, 'API'), element('h1', {}, state.settings.project)),
    element('p', { class: 'lead' }, 'Every table has a path of its own under ', element('code', {}, '/rest/v1/'), '. Choose one to see its columns and to try requests against this server: what you run is done for real.'),
    tables.length + functions.length ? null : element('p', { class: 'notice' }, 'Nothing is open to this key yet. The access rules of the schema say what is.'),
    element('ul', { class: 'cards' }, [...tables, ...functions].map(card)),
  ].filter(Boolean);
}

function locked() {
  const key = api.key.get();
  return [
    element('header', { class: 'thing' }, element('p', { class: 'kind' }, 'API'), element('h1', {}, state.settings.project)),
    element('p', { class: 'notice' }, key ? 'This key is not one of this project. ' : 'Put a key into the field at the top to see what it opens. ', element('code', {}, 'mainstay keys'), ' prints the keys of a project.'),
  ];
}

start().catch((error) => {
  at('content').replaceChildren(element('p', { class: 'notice', role: 'alert' }, `The API did not answer: ${error.message}`));
});
