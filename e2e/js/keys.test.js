// Who may do what: the two keys, through postgrest-js and supabase-js.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PostgrestClient } from '@supabase/postgrest-js';
import { createClient } from '@supabase/supabase-js';
import { shop } from './server.js';

const { url, anon, publishableKey, secretKey } = await shop();

describe('the publishable key', () => {
  test('reads what is open', async () => {
    const { count } = await anon.from('products').select('*', { count: 'exact', head: true });
    assert.equal(count, 10);
  });

  test('does not read what is not', async () => {
    for (const ask of [anon.from('orders').select(), anon.from('customers').select('id')]) {
      const { data, error, status } = await ask;
      assert.equal(data, null);
      assert.equal(status, 401);
      assert.equal(error.code, '42501');
    }
  });

  test('does not reach it through an embed or a filter on one', async () => {
    const { error } = await anon.from('products').select('name, order_lines(quantity)');
    assert.ok(error);
    const filtered = await anon.from('products').select('name, order_lines()').not('order_lines', 'is', null);
    assert.ok(filtered.error);
  });

  test('writes where anybody may', async () => {
    const review = { product_id: 1, author: 'E2E', stars: 5 };
    const { data, error } = await anon.from('reviews').insert(review).select('author,stars').single();
    assert.equal(error, null);
    assert.deepEqual(data, { author: 'E2E', stars: 5 });
  });

  test('does not write elsewhere, nor change what it wrote', async () => {
    const answers = [
      await anon.from('products').insert({ slug: 'mine', name: 'Mine', price: 1, added_on: '2026-01-01' }),
      await anon.from('reviews').update({ stars: 1 }).eq('author', 'Ana'),
      await anon.from('reviews').delete().eq('author', 'Ana'),
    ];
    for (const { error, status } of answers) {
      assert.equal(status, 401);
      assert.equal(error.code, '42501');
    }
  });
});

test('without a key, or with a wrong one, nothing answers', async () => {
  for (const headers of [{}, { apikey: 'ms_publishable_wrong' }, { Authorization: 'Bearer x.y.z' }]) {
    const { data, error, status } = await new PostgrestClient(`${url}/rest/v1`, { headers }).from('products').select();
    assert.equal(status, 401);
    assert.equal(data, null);
    assert.ok(error.message);
  }
});

describe('supabase-js', () => {
  // The library wants a WebSocket when it is made, which Node has from version 22 on; nothing here opens one.
  const options = {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: class NoSocket {} },
  };

  test('reads with the publishable key', async () => {
    const client = createClient(url, publishableKey, options);
    const { data, error } = await client.from('products').select('name').eq('id', 9).single();
    assert.equal(error, null);
    assert.deepEqual(data, { name: 'Gift card' });
  });

  test('calls a function', async () => {
    const client = createClient(url, publishableKey, options);
    const { data, error } = await client.rpc('best_sellers', { most: 2 }).select('pieces').gte('pieces', 1);
    assert.equal(error, null);
    assert.equal(data.length, 2);
    const got = await client.rpc('best_sellers', { most: 1 }, { get: true }).single();
    assert.equal(got.error, null);
    assert.ok(got.data.pieces >= data[1].pieces);
    const refused = await client.rpc('cancel_order', { order_id: 1 });
    assert.ok(refused.error, 'the publishable key may not call it');
  });

  test('writes with the secret key', async () => {
    const client = createClient(url, secretKey, options);
    const { data, error } = await client
      .from('customers')
      .insert({ email: 'e2e@example.com', name: 'E. Two' })
      .select('name, orders!customer_id(id)')
      .single();
    assert.equal(error, null);
    assert.deepEqual(data, { name: 'E. Two', orders: [] });
  });
});
