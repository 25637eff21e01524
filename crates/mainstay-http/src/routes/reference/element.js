// Elements of the page. Everything that is shown goes through here as text: nothing is ever read as markup.

/** An element with attributes and children; a child is an element, a text, or nothing. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'selected' || name === 'disabled') made[name] = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Text in which `code` and line breaks of a description are shown as such. */
export function prose(text) {
  const paragraphs = String(text).split(/\n\s*\n/);
  return paragraphs.map((paragraph) =>
    element('p', {}, paragraph.split(/(`[^`]+`)/).map((part) => (/^`[^`]+`$/.test(part) ? element('code', {}, part.slice(1, -1)) : part))),
  );
}

/** A list to choose from; options are texts or pairs of value and text. */
export function choice(attributes, options, chosen) {
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return element('select', attributes, pairs.map(([value, text]) => element('option', { value, selected: value === chosen }, text)));
}

/** A button that copies what `text` gives. */
export function copyButton(text, name) {
  const button = element('button', { type: 'button', class: 'plain', 'aria-label': `Copy ${name}` }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not allowed here';
    }
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  });
  return button;
}

/** JSON on lines of its own, with its parts told apart by color. Numbers keep every digit: it is never read as values. */
export function pretty(source) {
  return element('code', {}, tokens(indented(source)).map(([kind, text]) => (kind ? element('span', { class: kind }, text) : text)));
}

function indented(source) {
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [part] of source.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[^\s"]/g)) {
    if (part === '{' || part === '[') {
      depth += 1;
      out += part + line();
    } else if (part === '}' || part === ']') {
      depth -= 1;
      out += line() + part;
    } else if (part === ',') out += part + line();
    else if (part === ':') out += ': ';
    else out += part.length > 1 && !part.startsWith('"') ? part.replace(/\s/g, '') : part;
  }
  return out;
}

/** Splits JSON source into names, strings, words and the rest. */
function tokens(source) {
  const found = [];
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)/g;
  let end = 0;
  for (const match of source.matchAll(pattern)) {
    if (match.index > end) found.push(['', source.slice(end, match.index)]);
    if (match[1]) {
      found.push([match[2] ? 'name' : 'text', match[1]]);
      if (match[2]) found.push(['', match[2]]);
    } else {
      found.push(['word', match[3]]);
    }
    end = match.index + match[0].length;
  }
  found.push(['', source.slice(end)]);
  return found;
}
