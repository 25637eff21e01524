// What there is to know of one table, view or function.

import { checks } from '/_/api/document.js';
import { element, prose } from '/_/api/element.js';

/** Heading, words and what the reader's key allows. */
export function heading(thing, kind, allowed) {
  return element(
    'header',
    { class: 'thing' },
    element('p', { class: 'kind' }, kind),
    element('h1', {}, thing.name),
    element('p', { class: 'methods', 'aria-label': 'Methods' }, thing.methods.map((method) => methodBadge(method, allowed))),
    thing.description ? prose(thing.description) : null,
  );
}

function methodBadge(method, allowed) {
  const isOpen = !allowed || allowed.includes(method);
  const words = isOpen ? method : `${method}, not with this key`;
  return element('span', { class: `method ${method.toLowerCase()}${isOpen ? '' : ' closed'}`, title: isOpen ? null : 'Not with this key', 'aria-label': words }, method);
}

/** The columns of a table, or the parameters of a function. */
export function columns(table) {
  const rows = table.columns.map((column) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('code', {}, column.name), column.isKey ? badge('key', 'Part of the primary key') : null, column.isUnique && !column.isKey ? badge('unique', 'No two rows have the same') : null),
      element('td', { class: 'type' }, element('code', {}, column.type), column.isOptional ? element('span', { class: 'quiet' }, ' or null') : null),
      element('td', {}, details(column)),
    ),
  );
  return section(
    'Columns',
    element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Columns' }, element('table', {}, head(['Column', 'Type', 'Notes']), element('tbody', {}, rows))),
  );
}

function details(column) {
  const words = [];
  if (column.isRequired) words.push('needed to insert');
  if (column.insert?.default !== undefined) words.push(`default ${JSON.stringify(column.insert.default)}`);
  words.push(...checks(column.schema));
  const left = column.insert?.description?.split('\n\n').find((part) => part.startsWith('Left out'));
  return [
    words.length ? element('span', { class: 'facts' }, words.join(' · ')) : null,
    column.references.map((relation) => element('span', { class: 'facts' }, '→ ', link(relation.table), `.${relation.columns[0][1]}`)),
    column.description ? prose(column.description) : null,
    left ? element('p', { class: 'quiet' }, left) : null,
  ];
}

function badge(text, title) {
  return element('span', { class: 'badge', title }, text);
}

/** The tables that rows of this one can bring along. */
export function relations(table) {
  if (!table.relations.length) return null;
  const items = table.relations.map((relation) =>
    element(
      'li',
      {},
      element('code', {}, `${relation.embed}(*)`),
      ` — ${WORDS[relation.kind] ?? relation.kind} `,
      link(relation.table),
      relation.columns ? element('span', { class: 'quiet' }, ` by ${relation.columns.map(([here, there]) => `${here} = ${there}`).join(', ')}`) : null,
    ),
  );
  return section('Relations', element('p', {}, 'Name one in ', element('code', {}, 'select'), ', and its rows come along, nested.'), element('ul', { class: 'relations' }, items));
}

const WORDS = {
  'many-to-one': 'the one row of',
  'one-to-one': 'the one row of',
  'one-to-many': 'all rows of',
  'many-to-many': 'all rows, through a table between, of',
};

/** The parameters of a function. */
export function parametersOf(thing) {
  if (thing.whole) return section('Body', ...wholeBody(thing.whole));
  if (!thing.parameters.length) return section('Parameters', element('p', { class: 'quiet' }, 'It takes none.'));
  const rows = thing.parameters.map((parameter) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('code', {}, parameter.name)),
      element('td', { class: 'type' }, element('code', {}, String(parameter.type))),
      element('td', {}, [parameter.isRequired ? 'needed' : 'may be left out', ...checks(parameter.schema)].join(' · '), parameter.description ? prose(parameter.description) : null),
    ),
  );
  return section('Parameters', element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Parameters' }, element('table', {}, head(['Parameter', 'Type', 'Notes']), element('tbody', {}, rows))));
}

function wholeBody({ media, schema }) {
  const words = media === 'text/plain' ? 'The whole body is one text, as it is.' : 'The whole body is octets, as they are.';
  return [
    element('p', {}, words, ' Its type is ', element('code', {}, media), '.', ...checks(schema).map((check) => ` It is ${check}.`)),
    schema.description ? prose(schema.description) : null,
  ].filter(Boolean);
}

function head(names) {
  return element('thead', {}, element('tr', {}, names.map((name) => element('th', { scope: 'col' }, name))));
}

function link(name) {
  return element('a', { href: `#/${encodeURIComponent(name)}` }, name);
}

function section(title, ...children) {
  return element('section', {}, element('h2', {}, title), ...children);
}
