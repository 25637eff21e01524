// The types for supabase-js: right programs compile, wrong ones do not.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { example, program } from './shop.js';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'compiled');
const START = `import { createClient } from '@supabase/supabase-js'
import type { Database, Enums, Tables, TablesInsert, TablesUpdate } from './Database'
import { Constants } from './Database'
const shop = createClient<Database>('http://127.0.0.1', 'key')
export const used: [Enums<'orders_status'>, Tables<'orders'>, TablesInsert<'orders'>, TablesUpdate<'orders'>, typeof Constants] | undefined = undefined
`;

const RIGHT = `
const { data } = await shop.from('orders').select('id, note, status, order_lines(quantity, products(name))').eq('status', 'new')
for (const order of data ?? []) {
  const id: number = order.id
  const note: string | null = order.note
  const status: 'new' | 'paid' | 'shipped' | 'cancelled' = order.status
  const quantity: number[] = order.order_lines.map((line) => line.quantity)
  const name: string[] = order.order_lines.map((line) => line.products.name)
  console.log(id, note, status, quantity, name)
}
await shop.from('reviews').insert({ product_id: 1, author: 'Ada', stars: 5 })
await shop.from('reviews').update({ body: null }).eq('id', 'x')
const { data: totals } = await shop.from('order_totals').select('pieces').single()
export const pieces: number | undefined = totals?.pieces
const settings = await shop.from('customers').select('customer_settings(language)').single()
export const language: 'en' | 'de' | 'fr' | 'ja' | undefined = settings.data?.customer_settings?.language
const { data: best } = await shop.rpc('best_sellers', { most: 3 }).select('product_id, pieces').gt('pieces', 1)
export const counts: number[] = (best ?? []).map((product) => product.pieces)
const { data: similar } = await shop.rpc('similar_products', { product_id: 2 })
export const names: string[] = (similar ?? []).map((product) => product.name)
const { data: reviewed } = await shop.rpc('similar_products', { product_id: 2 }).select('name, reviews(stars)')
export const stars: number[] = (reviewed ?? []).flatMap((product) => product.reviews.map((review) => review.stars))
const row: Tables<'products'> = { id: 1, slug: 'a', name: 'a', price: 1.5, weight_kg: null, tags: [], attributes: {}, available: true, added_on: '2026-01-01', updated_at: '2026-01-01T00:00:00Z' }
console.log(row)
`;

const WRONG = [
  ["no such table", "await shop.from('order').select()"],
  ["no such column", "const { data } = await shop.from('orders').select('id').single(); console.log(data!.status)"],
  ["no such column in select", "const { data } = await shop.from('orders').select('nothing').single(); const x: number = data!.nothing; console.log(x)"],
  ["a filter on no column", "await shop.from('orders').select().eq('colour', 'red')"],
  ["a value of another type", "await shop.from('reviews').insert({ product_id: 1, author: 'Ada', stars: 'five' })"],
  ["a required column left out", "await shop.from('reviews').insert({ product_id: 1, stars: 5 })"],
  ["a column that is not there", "await shop.from('reviews').insert({ product_id: 1, author: 'Ada', stars: 5, color: 'red' })"],
  ["a word that is none of the enum", "await shop.from('orders').update({ status: 'lost' }).eq('id', 1)"],
  ["null where there is none", "await shop.from('orders').update({ status: null }).eq('id', 1)"],
  ["a write to a view", "await shop.from('order_totals').insert({ order_id: 1, lines: 1, pieces: 1 })"],
  ["no such function", "await shop.rpc('worst_sellers')"],
  ["an argument of another type", "await shop.rpc('similar_products', { product_id: 'two' })"],
  ["a column that a function does not give", "const { data } = await shop.rpc('best_sellers', {}); console.log(data![0]!.colour)"],
  ["no such relation", "const { data } = await shop.from('orders').select('reviews(stars)').single(); console.log(data!.reviews.map((r) => r.stars))"],
];

function compile(name, text) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'Database.ts'), execFileSync(program, ['types', '--lang', 'typescript', example], { encoding: 'utf8' }));
  writeFileSync(join(folder, `${name}.ts`), `${START}${text}\n`);
  const words = ['node_modules/typescript/bin/tsc', '--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', join(folder, `${name}.ts`)];
  return spawnSync(process.execPath, words, { encoding: 'utf8' });
}

test('a program that uses the tables as they are compiles', () => {
  const { status, stdout } = compile('right', RIGHT);
  assert.equal(status, 0, stdout);
});

for (const [at, [name, text]] of WRONG.entries()) {
  test(`does not compile: ${name}`, () => {
    const { status, stdout } = compile(`wrong${at}`, text);
    assert.notEqual(status, 0, 'it compiles');
    assert.match(stdout, new RegExp(`wrong${at}\\.ts\\(6,`), 'the mistake is in the line that is wrong');
  });
}
