// The panel that puts a request together, shows it as code, sends it, and shows the answer.

import * as api from '/_/api/api.js';
import { answer, failure } from '/_/api/answer.js';
import { example } from '/_/api/document.js';
import { choice, copyButton, element } from '/_/api/element.js';
import { build, curl, supabase } from '/_/api/snippets.js';

const OPERATORS = [
  ['eq', 'is equal to (eq)'],
  ['neq', 'is not equal to (neq)'],
  ['gt', 'is greater than (gt)'],
  ['gte', 'is at least (gte)'],
  ['lt', 'is less than (lt)'],
  ['lte', 'is at most (lte)'],
  ['like', 'is like, * for anything (like)'],
  ['ilike', 'is like, in any case (ilike)'],
  ['in', 'is one of, by commas (in)'],
  ['is', 'is null, true, false (is)'],
  ['cs', 'contains (cs)'],
  ['not.eq', 'is not (not.eq)'],
];

/** The panel for one table or function. `kept` is a form that a link brought along. */
export function panel(thing, context, kept) {
  const form = { ...fresh(thing), ...kept };
  const output = element('div', { class: 'output', 'aria-live': 'polite' });
  const request = element('div', { class: 'request' });
  const controls = element('div', { class: 'controls' });
  const show = () => request.replaceChildren(...preview(thing, form, context));
  const draw = () => {
    controls.replaceChildren(...fields(thing, form, { show, draw }));
    show();
  };
  const run = async (event) => {
    event?.preventDefault();
    output.replaceChildren(element('p', { class: 'quiet' }, 'Waiting for the answer…'));
    try {
      const wanted = build(whole(thing, form));
      output.replaceChildren(...answer(await api.send(wanted, context.key()), context, wanted));
    } catch (error) {
      output.replaceChildren(...failure(error));
    }
  };
  const panel = element(
    'form',
    { class: 'try', onsubmit: run, onkeydown: (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && run(event) },
    controls,
    request,
    element(
      'p',
      { class: 'actions' },
      element('button', { type: 'submit', class: 'run' }, 'Run'),
      copyButton(() => linkTo(thing, form), 'a link to this request'),
      element('span', { class: 'quiet' }, ' a link to this request'),
    ),
    output,
  );
  draw();
  return element('section', { id: 'try' }, element('h2', {}, 'Try it'), panel);
}

/** What the panel begins with. */
function fresh(thing) {
  const body = {};
  for (const column of thing.columns ?? []) if (column.isRequired) body[column.name] = example(column.insert ?? column.schema);
  for (const parameter of thing.parameters ?? []) if (parameter.isRequired) body[parameter.name] = example(parameter.schema);
  return {
    method: thing.methods.includes('GET') && !thing.parameters ? 'GET' : thing.methods.includes('POST') ? 'POST' : thing.methods[0],
    columns: [],
    embeds: [],
    filters: [],
    order: '',
    direction: 'asc',
    limit: thing.parameters ? '' : '5',
    count: false,
    back: true,
    body: thing.whole ? '' : JSON.stringify(body, null, 2),
    change: JSON.stringify(changeOf(thing), null, 2),
  };
}

function changeOf(thing) {
  const column = (thing.columns ?? []).find((column) => !column.isKey && thing.updateColumns.includes(column.name) && column.type !== 'json');
  return column ? { [column.name]: example(column.schema) } : {};
}

/** The form as a request is built from it. */
function whole(thing, form) {
  const isRead = form.method === 'GET';
  const isFunction = Boolean(thing.parameters);
  const names = form.columns.length ? form.columns : form.embeds.length ? ['*'] : [];
  const byName = new Map((thing.columns ?? []).map((column) => [column.name, column]));
  const prefer = [];
  if (isRead && form.count) prefer.push('count=exact');
  if (!isRead && !isFunction && form.back && thing.columns.some((column) => column.filter)) prefer.push('return=representation');
  const takesFilters = !isFunction && form.method !== 'POST';
  return {
    name: thing.name,
    path: thing.path,
    isFunction,
    method: form.method,
    select: isFunction ? '' : [...names.map(quoted), ...form.embeds.map((embed) => `${embed}(*)`)].join(','),
    filters: takesFilters
      ? form.filters.filter(({ column }) => byName.has(column)).map((filter) => ({ ...filter, column: byName.get(filter.column).filter ?? filter.column, isNumber: ['integer', 'number'].includes([byName.get(filter.column).schema.type].flat()[0]) }))
      : [],
    order: isRead && form.order ? `${quoted(form.order)}${form.direction === 'desc' ? '.desc' : ''}` : '',
    limit: isRead ? form.limit : '',
    offset: '',
    prefer,
    counts: form.count,
    body: form.method === 'PATCH' ? form.change : form.body,
    media: thing.whole?.media ?? 'application/json',
  };
}

function quoted(name) {
  return name === '*' || /^[\p{L}\p{N}_$]+$/u.test(name) ? name : `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function fields(thing, form, { show, draw }) {
  const set = (name, value) => {
    form[name] = value;
    show();
  };
  const parts = [methods(thing, form, draw)];
  if (thing.parameters) {
    const words = { 'text/plain': 'The text', 'application/octet-stream': 'The octets, as text in UTF-8' }[thing.whole?.media] ?? 'Arguments';
    if (form.method === 'POST') parts.push(bodyField(words, form, 'body', set));
    return parts;
  }
  const isRead = form.method === 'GET';
  const canRead = thing.columns.some((column) => column.filter);
  if (form.method === 'POST') parts.push(bodyField('The new row, or a list of rows', form, 'body', set));
  if (form.method === 'PATCH') parts.push(bodyField('What to change', form, 'change', set));
  if (form.method !== 'POST' && canRead) parts.push(filters(thing, form, { show, draw }));
  if (isRead || (form.back && canRead)) parts.push(selection(thing, form, show));
  if (isRead) parts.push(page(thing, form, set));
  else if (canRead) parts.push(toggle('Give the rows back', form.back, (value) => ((form.back = value), draw())));
  return parts;
}

function methods(thing, form, draw) {
  const one = (method) =>
    element(
      'label',
      { class: `method ${method.toLowerCase()}` },
      element('input', { type: 'radio', name: 'method', value: method, checked: form.method === method, onchange: () => choose(method) }),
      ` ${method}`,
    );
  const choose = (method) => {
    form.method = method;
    draw();
    document.querySelector(`input[name="method"][value="${method}"]`)?.focus();
  };
  return element('fieldset', { class: 'methods' }, element('legend', {}, 'Method'), thing.methods.filter((method) => method !== 'PUT' && !(thing.parameters && method === 'GET' && thing.methods.includes('POST'))).map(one));
}

function selection(thing, form, show) {
  const box = (list, value, text) =>
    element(
      'label',
      { class: 'box' },
      element('input', {
        type: 'checkbox',
        checked: list.includes(value),
        onchange: (event) => {
          if (event.target.checked) list.push(value);
          else list.splice(list.indexOf(value), 1);
          show();
        },
      }),
      element('code', {}, text),
    );
  const relations = thing.relations.length
    ? element('fieldset', { class: 'boxes' }, element('legend', {}, 'With related rows'), thing.relations.map((relation) => box(form.embeds, relation.embed, relation.embed)))
    : null;
  return element('div', { class: 'selection' }, element('fieldset', { class: 'boxes' }, element('legend', {}, 'Columns (none chosen: all)'), thing.columns.map((column) => box(form.columns, column.name, column.name))), relations);
}

function filters(thing, form, { show, draw }) {
  const names = thing.columns.filter((column) => column.filter).map((column) => column.name);
  const line = (filter, at) =>
    element(
      'div',
      { class: 'filter' },
      choice({ 'aria-label': 'Column', onchange: (event) => ((filter.column = event.target.value), show()) }, names, filter.column),
      choice({ 'aria-label': 'Operator', onchange: (event) => ((filter.operator = event.target.value), show()) }, OPERATORS, filter.operator),
      element('input', { 'aria-label': 'Value', value: filter.value, spellcheck: 'false', oninput: (event) => ((filter.value = event.target.value), show()) }),
      element('button', { type: 'button', class: 'plain', 'aria-label': `Remove the filter on ${filter.column}`, onclick: () => (form.filters.splice(at, 1), draw()) }, '×'),
    );
  const add = () => {
    form.filters.push({ column: names[0], operator: 'eq', value: '' });
    draw();
    [...document.querySelectorAll('.filter select')].at(-2)?.focus();
  };
  const need = form.method === 'GET' ? '' : ' (at least one is needed)';
  return element('fieldset', { class: 'filters' }, element('legend', {}, `Filters${need}`), form.filters.map(line), element('button', { type: 'button', class: 'plain add', onclick: add }, '+ Add a filter'));
}

function page(thing, form, set) {
  const names = [['', 'not ordered'], ...thing.columns.map((column) => column.name)];
  return element(
    'div',
    { class: 'page' },
    element('label', {}, 'Order by', choice({ onchange: (event) => set('order', event.target.value) }, names, form.order)),
    element('label', {}, 'Direction', choice({ onchange: (event) => set('direction', event.target.value) }, [['asc', 'ascending'], ['desc', 'descending']], form.direction)),
    element('label', {}, 'Limit', element('input', { type: 'number', min: '0', inputmode: 'numeric', value: form.limit, oninput: (event) => set('limit', event.target.value) })),
    toggle('Count all rows', form.count, (value) => set('count', value)),
  );
}

function toggle(text, checked, change) {
  return element('label', { class: 'box' }, element('input', { type: 'checkbox', checked, onchange: (event) => change(event.target.checked) }), text);
}

function bodyField(text, form, name, set) {
  const rows = Math.min(14, Math.max(3, form[name].split('\n').length));
  return element('label', { class: 'body' }, text, element('textarea', { rows, spellcheck: 'false', value: form[name], oninput: (event) => set(name, event.target.value) }));
}

/** The request as a line, for curl, for supabase-js. */
function preview(thing, form, context) {
  const complete = whole(thing, form);
  const request = build(complete);
  const code = (title, text) =>
    element('details', { class: 'code', open: context.open.has(title), ontoggle: (event) => (event.target.open ? context.open.add(title) : context.open.delete(title)) }, element('summary', {}, title), element('div', { class: 'snippet' }, element('pre', { tabindex: '0' }, element('code', {}, text)), copyButton(() => text, title)));
  const isFilterMissing = ['PATCH', 'DELETE'].includes(form.method) && !complete.filters.length;
  return [
    element('p', { class: 'line' }, element('span', { class: `method ${request.method.toLowerCase()}` }, request.method), ' ', element('code', { id: 'request-url' }, request.url)),
    isFilterMissing ? element('p', { class: 'quiet' }, 'Add a filter: without one the server refuses to touch every row.') : null,
    code('curl', curl(request, location.origin)),
    // supabase-js sends nothing but JSON.
    thing.whole ? null : code('supabase-js', supabase(complete, location.origin)),
  ].filter(Boolean);
}

/** A link that brings this form back. The key is never in it. */
function linkTo(thing, form) {
  return `${location.origin}${location.pathname}#/${encodeURIComponent(thing.name)}?${encodeURIComponent(JSON.stringify(form))}`;
}
