// Functions with postgrest-js: `.rpc()` in each of its forms, and what can be asked of the result.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shop } from './server.js';

const { anon, owner } = await shop();

test('arguments go in a body, or in the query string with get', async () => {
  const args = { product_id: 2 };
  for (const options of [{}, { get: true }]) {
    const { data, error } = await anon.rpc('similar_products', args, options).select('id').order('id');
    assert.equal(error, null);
    assert.ok(data.length > 0 && data.every((row) => row.id !== 2));
  }
});

test('results are selected, filtered, ordered, paged and embedded', async () => {
  const { data, error } = await anon
    .rpc('best_sellers', { most: 100 })
    .select('product_id, pieces, products(name)')
    .gte('pieces', 2)
    .order('product_id', { ascending: false })
    .limit(2);
  assert.equal(error, null);
  assert.equal(data.length, 2);
  assert.ok(data[0].product_id > data[1].product_id);
  assert.ok(data.every((row) => row.pieces >= 2 && typeof row.products.name === 'string'));
});

test('one row', async () => {
  const query = anon.rpc('best_sellers', { most: 1 }, { get: true }).select('pieces');
  const { data, status } = await query.single();
  assert.equal(status, 200);
  assert.equal(typeof data.pieces, 'number');
});

test('counts, with and without rows', async () => {
  const all = await anon.rpc('best_sellers', { most: 3 }, { count: 'exact' });
  assert.equal(all.count, 3);
  assert.equal(all.data.length, 3);
  const head = await anon.rpc('best_sellers', { most: 3 }, { head: true, count: 'exact' });
  assert.equal(head.count, 3);
  assert.equal(head.data, null);
  assert.equal(head.error, null);
});

test('a function that writes gives its rows back, and does nothing by get', async () => {
  const byGet = await owner.rpc('cancel_order', { order_id: 2 }, { get: true });
  assert.equal(byGet.status, 405);
  assert.equal(byGet.error.code, '25006');
  const { data: before } = await owner.from('orders').select('id').in('status', ['new', 'paid']).limit(1).single();
  const { data, error } = await owner.rpc('cancel_order', { order_id: before.id }).select('id,status').single();
  assert.equal(error, null);
  assert.deepEqual(data, { id: before.id, status: 'cancelled' });
  const again = await owner.rpc('cancel_order', { order_id: before.id });
  assert.deepEqual(again.data, []);
});

test('maxAffected undoes what goes too far', async () => {
  const { data: open } = await owner.from('orders').select('id').in('status', ['new', 'paid']).limit(1).single();
  const { error } = await owner.rpc('cancel_order', { order_id: open.id }).maxAffected(0);
  assert.equal(error.code, 'PGRST124');
  const { data } = await owner.from('orders').select('status').eq('id', open.id).single();
  assert.notEqual(data.status, 'cancelled');
});

test('errors are told as PostgREST tells them', async () => {
  const unknown = await anon.rpc('best_selers');
  assert.equal(unknown.status, 404);
  assert.equal(unknown.error.code, 'PGRST202');
  assert.equal(unknown.error.hint, 'Perhaps you meant to call the function public.best_sellers');
  const argument = await anon.rpc('similar_products', { product: 2 });
  assert.equal(argument.error.hint, 'Perhaps you meant to call the function public.similar_products(product_id)');
  const value = await anon.rpc('similar_products', { product_id: 'x' });
  assert.equal(value.error.code, '22P02');
  const closed = await anon.rpc('cancel_order', { order_id: 1 });
  assert.equal(closed.status, 401);
  assert.equal(closed.error.code, '42501');
});

test('csv', async () => {
  const { data } = await anon.rpc('best_sellers', { most: 2 }).select('product_id,pieces').csv();
  assert.equal(data.trim().split('\n').length, 3);
  assert.equal(data.split('\n')[0].trim(), 'product_id,pieces');
});
