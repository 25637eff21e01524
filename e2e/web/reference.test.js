// The reference at /_/api, clicked through as somebody new to the shop would.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { shop } from './shop.js';

const SWITCHES = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const MARKUP = `<img src=x onerror="window.hit=1"><script>window.hit=1</script>`;
const HOSTILE = `
[hostile]
description = '''${MARKUP}'''
[hostile.fields]
id = { type = "int", primary = true, description = '''${MARKUP}''' }
words = { type = "text", optional = true }
kind = { enum = ['''${MARKUP}'''], optional = true }
[hostile.access]
read = true
`;
const screenshots = process.env.MAINSTAY_SCREENSHOTS;

const QUERIES = {
  shout: '--- access = true\n--- params.words = { type = "text", max = 40, description = "What to say." }\n--- body = "words"\n--- returns = "text"\nSELECT upper(:words)\n',
};

const server = await shop(HOSTILE, QUERIES);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: SWITCHES });
after(() => browser.close());

/** A page of its own, with everything that it complains about or asks elsewhere. */
async function open(hash = '', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000); // Machines that test much at once are slow.
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    // An answer with an error is what some of the tests ask for; the browser notes each on its own.
    if (message.type() !== 'info' && !/^Failed to load resource.*\(4\d\d|status of 4\d\d/.test(message.text())) wrong.push(message.text());
  });
  page.on('request', (request) => new URL(request.url()).origin !== server.url && wrong.push(`asked ${request.url()}`));
  await page.goto(`${server.reference}${hash}`);
  await page.waitForSelector('h1');
  return { page, close: async () => (assert.deepEqual(wrong, []), context.close()) };
}

async function shot(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

async function run(page) {
  await page.click('button.run');
  await page.waitForSelector('.output .status');
  return page.textContent('.output .status strong');
}

test('somebody new finds a table, reads about it and gets rows', async () => {
  const { page, close } = await open();
  await shot(page, 'overview');
  await page.fill('#search', 'prod');
  assert.deepEqual(await page.$$eval('#menu li', (items) => items.map((item) => item.textContent)), ['products', 'product_categories', 'similar_products']);
  await page.click('#menu a >> text=products');
  await page.waitForSelector('h1 >> text=products');
  assert.match(await page.textContent('#content'), /decimal\(10,2\)/);
  assert.match(await page.textContent('#content'), /2–120 characters/);

  await page.click('text=+ Add a filter');
  await page.selectOption('.filter select >> nth=0', 'price');
  await page.selectOption('.filter select >> nth=1', 'lt');
  await page.fill('.filter input', '50');
  await page.check('label.box:has-text("name") input');
  await page.check('label.box:has-text("price") input');
  await page.check('label.box:has-text("reviews") input');
  await page.selectOption('.page select >> nth=0', 'price');
  await page.fill('.page input[type=number]', '2');
  await page.check('text=Count all rows');
  assert.equal(await page.textContent('#request-url'), '/rest/v1/products?select=name,price,reviews(*)&price=lt.50&order=price&limit=2');
  assert.equal(await run(page), '206');
  const rows = JSON.parse(await page.textContent('.output pre'));
  assert.equal(rows.length, 2);
  assert.deepEqual(Object.keys(rows[0]), ['name', 'price', 'reviews']);
  await page.click('.output summary >> text=Headers');
  assert.match(await page.textContent('.headers dl'), /content-range0-1\/\d+/);
  await shot(page, 'products');
  await close();
});

test('the code that is shown does what the panel does', async () => {
  const { page, close } = await open('#/products');
  await page.click('text=+ Add a filter');
  await page.selectOption('.filter select >> nth=0', 'name');
  await page.selectOption('.filter select >> nth=1', 'ilike');
  await page.fill('.filter input', "*knife*'s");
  await page.click('summary >> text=supabase-js');
  const shown = await page.textContent('.request');
  assert.ok(shown.includes(`.ilike('name', '*knife*\\'s')`), shown);
  assert.ok(shown.includes(`curl '${server.url}/rest/v1/products?name=ilike.*knife*'\\''s&limit=5'`), shown);
  assert.ok(!shown.includes(server.publishable), 'a key is in no code');
  await page.click('button[aria-label="Copy a link to this request"]');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${server.url}/_/api#/products?`) && !link.includes('ms_'), link);
  await close();

  const again = await open(new URL(link).hash);
  assert.equal(await again.page.inputValue('.filter input'), "*knife*'s");
  await again.close();
});

test('a function is found, explained and called', async () => {
  const { page, close } = await open();
  await page.click('#menu a >> text=best_sellers');
  await page.waitForSelector('h1 >> text=best_sellers');
  const text = await page.textContent('#content');
  assert.match(text, /The products that sold most/);
  assert.match(text, /from 1 · to 100/);
  await page.fill('textarea', '{"most": 2}');
  assert.equal(await run(page), '200');
  assert.equal(JSON.parse(await page.textContent('.output pre')).length, 2);
  await close();
});

test('a function whose body is one text gets the text of the field', async () => {
  const { page, close } = await open('#/shout');
  const text = await page.textContent('#content');
  assert.match(text, /The whole body is one text, as it is\..*text\/plain.*at most 40 characters.*What to say\./s);
  await page.fill('textarea', '@say "it"');
  const shown = await page.textContent('.request');
  assert.ok(shown.includes("Content-Type: text/plain") && shown.includes(`--data-raw '@say "it"'`), shown);
  assert.ok(!shown.includes('supabase'), 'which sends JSON alone');
  assert.equal(await run(page), '200');
  assert.equal(JSON.parse(await page.textContent('.output pre')), '@SAY "IT"');
  await close();
});

test('what a key does not open is explained, and the secret key opens it', async () => {
  const { page, close } = await open('#/orders');
  assert.match(await page.textContent('.notice'), /secret key/);
  assert.equal(await run(page), '401');
  assert.match(await page.textContent('.explained'), /permission denied for table orders.*secret key.*mainstay keys.*42501/s);
  await shot(page, 'refused');

  await page.fill('#key', server.secret);
  await page.press('#key', 'Enter');
  await page.waitForSelector('#key-role >> text=secret key');
  assert.equal(await run(page), '200');
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage })), '{}');
  assert.equal(await page.evaluate(() => document.cookie), '');
  await close();
});

test('rows are inserted, changed and deleted with the secret key, and mistakes are explained', async () => {
  const { page, close } = await open('#/categories');
  await page.fill('#key', server.secret);
  await page.press('#key', 'Enter');
  await page.waitForSelector('#key-role >> text=secret key');
  await page.check('input[value=POST]');
  await page.fill('textarea', '{ "id": 901, "name": "Lamps", }');
  assert.equal(await run(page), '400');
  assert.match(await page.textContent('.explained'), /PGRST102/);
  await page.fill('textarea', '{ "id": 901, "name": "L" }');
  assert.equal(await run(page), '400');
  assert.match(await page.textContent('.explained'), /23514/);
  await page.fill('textarea', '{ "id": 901, "name": "Lamps" }');
  assert.equal(await run(page), '201');
  assert.match(await page.textContent('.output pre'), /"name": "Lamps"/);

  await page.check('input[value=PATCH]');
  await page.fill('textarea', '{ "name": "Lights" }');
  assert.match(await page.textContent('.request'), /Add a filter/);
  assert.equal(await run(page), '400');
  await page.click('text=+ Add a filter');
  await page.fill('.filter input', '901');
  assert.equal(await run(page), '200');
  await page.check('input[value=DELETE]');
  assert.equal(await run(page), '200');
  assert.match(await page.textContent('.output pre'), /Lights/);
  await close();
});

test('markup in names, descriptions and rows is text', async () => {
  const body = JSON.stringify({ id: 1, words: MARKUP, kind: MARKUP });
  const made = await fetch(`${server.url}/rest/v1/hostile`, { method: 'POST', body, headers: { apikey: server.secret, 'content-type': 'application/json' } });
  assert.equal(made.status, 201, await made.text());
  const { page, close } = await open('#/hostile');
  assert.equal(await run(page), '200');
  assert.match(await page.textContent('.output pre'), /<script>/);
  for (const hash of ['', `#/${encodeURIComponent(MARKUP)}`, `#/hostile?${encodeURIComponent(JSON.stringify({ body: MARKUP, order: MARKUP, filters: [{ column: 'id', operator: MARKUP, value: MARKUP }] }))}`]) {
    await page.goto(`${server.reference}${hash}`);
    await page.waitForTimeout(100);
  }
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.$$eval('#content img, #content script', (found) => found.length), 0);
  await close();
});

test('it is used by keyboard alone, and every control has a name', async () => {
  const { page, close } = await open('#/reviews');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  assert.equal(await page.textContent('h1'), 'reviews');
  await page.focus('.page input[type=number]');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.output .status');
  const unnamed = await page.$$eval('input, select, textarea, button', (controls) =>
    controls.filter((control) => !control.labels?.length && !control.getAttribute('aria-label') && !control.textContent.trim()).map((control) => control.outerHTML),
  );
  assert.deepEqual(unnamed, []);
  await close();
});

test('it fits a phone and the dark', async () => {
  const phone = await open('#/products', { viewport: { width: 360, height: 780 } });
  assert.equal(await run(phone.page), '200');
  const overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, 'nothing sticks out');
  await shot(phone.page, 'phone');
  await phone.close();

  const dark = await open('#/products', { colorScheme: 'dark' });
  assert.equal(await dark.page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(21, 25, 27)');
  assert.equal(await run(dark.page), '200');
  await shot(dark.page, 'dark');
  await dark.close();
});

test('text stands out from what is behind it, in the light and in the dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, close } = await open('#/orders', { colorScheme });
    await run(page);
    const faint = await page.evaluate(contrasts);
    assert.deepEqual(faint, [], colorScheme);
    await close();
  }
});

/** Texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3). Runs in the page. */
function contrasts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const found = new Set();
  for (const node of document.querySelectorAll('body *')) {
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!hasText || !node.getClientRects().length || node.closest('.hidden, .skip, option')) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.add(`${node.className || node.tagName}: ${node.textContent.trim().slice(0, 30)}`);
  }
  return [...found];
}
