// What else the clients send (rest.md 21): forms of an answer, searches, ranges, plans, and what each asks for on the wire.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PostgrestClient } from '@supabase/postgrest-js';
import { createClient } from '@supabase/supabase-js';
import { shop } from './server.js';

const { url, anon, owner, publishableKey, secretKey } = await shop();

/** A client that keeps the last request it sent. */
function recording() {
  const sent = {};
  const db = new PostgrestClient(`${url}/rest/v1`, {
    headers: { apikey: secretKey },
    fetch: (target, init) => {
      sent.url = new URL(target);
      sent.method = init.method;
      sent.headers = new Headers(init.headers);
      return fetch(target, init);
    },
  });
  return { db, sent };
}

describe('forms of an answer', () => {
  test('without null members, as a list and as one row', async () => {
    const list = await anon.from('products').select('id,weight_kg').gte('id', 9).order('id').stripNulls();
    assert.equal(list.error, null);
    assert.deepEqual(Object.keys(list.data[0]), ['id']);
    assert.deepEqual(Object.keys(list.data[1]), ['id', 'weight_kg']);
    const one = await anon.from('products').select('id,weight_kg').eq('id', 9).single().stripNulls();
    assert.deepEqual(one.data, { id: 9 });
  });

  test('maybeSingle gives the row that there is', async () => {
    const { data, error } = await anon.from('products').select('id').eq('slug', 'trowel').maybeSingle();
    assert.equal(error, null);
    assert.equal(data.id, 6);
  });

  test('geojson and plans are refused clearly', async () => {
    const geo = await anon.from('products').select().geojson();
    assert.equal(geo.status, 400);
    assert.equal(geo.error.code, 'PGRST127');
    for (const options of [{}, { analyze: true, verbose: true }, { format: 'json' }]) {
      const plan = await anon.from('products').select().explain(options);
      assert.equal(plan.status, 406);
      // The client hands over the text of errors that come where it asked for a text.
      assert.match(JSON.stringify(plan.error), /PGRST107/);
    }
  });
});

describe('searches and ranges', () => {
  test('text in each syntax', async () => {
    await owner.from('reviews').insert([
      { product_id: 1, author: 'Search', stars: 5, body: 'Sharp knives cut bread' },
      { product_id: 1, author: 'Search', stars: 4, body: 'Blunt knives do not' },
    ]);
    for (const [query, options, expected] of [
      ['knives & !blunt', {}, [5]],
      ['blunt knives', { type: 'plain' }, [4]],
      ['cut bread', { type: 'phrase' }, [5]],
      ['bread cut', { type: 'phrase' }, []],
      ['bread or blunt', { type: 'websearch' }, [5, 4]],
      ['cutting', { config: 'english' }, [5]],
    ]) {
      const { data, error } = await anon
        .from('reviews')
        .select('stars')
        .eq('author', 'Search')
        .textSearch('body', query, options)
        .order('stars', { ascending: false });
      assert.equal(error, null, query);
      assert.deepEqual(data.map((row) => row.stars), expected, query);
    }
  });

  test('where nothing can be searched, it is said', async () => {
    const { error } = await anon.from('products').select('id').textSearch('name', 'pan');
    assert.equal(error.code, 'PGRST127');
  });

  test('ranges are refused clearly', async () => {
    const from = () => anon.from('products').select('id');
    for (const query of [
      from().rangeGt('price', '[1,2)'),
      from().rangeGte('price', '[1,2)'),
      from().rangeLt('price', '[1,2)'),
      from().rangeLte('price', '[1,2)'),
      from().rangeAdjacent('price', '[1,2)'),
    ]) {
      const { data, error, status } = await query;
      assert.equal(data, null);
      assert.equal(status, 400);
      assert.equal(error.code, 'PGRST127');
    }
  });

  test('regular expressions', async () => {
    const named = async (operator, pattern) =>
      (await anon.from('products').select('id').filter('name', operator, pattern).order('id')).data.map((row) => row.id);
    assert.deepEqual(await named('match', '^Tr.w'), [6]);
    assert.deepEqual(await named('imatch', '^tr.w'), [6]);
    const direct = await anon.from('products').select('id').regexMatch('name', '^Tr.w');
    assert.deepEqual(direct.data, [{ id: 6 }]);
    const folded = await anon.from('products').select('id').regexIMatch('name', '^tr.w');
    assert.deepEqual(folded.data, [{ id: 6 }]);
  });
});

describe('writes', () => {
  test('rollback tries without leaving anything', async () => {
    const { data, error } = await owner
      .from('products')
      .insert({ slug: 'tried', name: 'Tried', price: 1, added_on: '2026-01-01' })
      .select('slug')
      .rollback();
    assert.equal(error, null);
    assert.deepEqual(data, [{ slug: 'tried' }]);
    const after = await owner.from('products').select('id').eq('slug', 'tried');
    assert.deepEqual(after.data, []);
  });

  test('maxAffected lets through what stays below, on update and delete', async () => {
    await owner.from('reviews').insert([1, 2].map((stars) => ({ product_id: 2, author: 'Max', stars })));
    const update = await owner.from('reviews').update({ body: 'x' }).eq('author', 'Max').maxAffected(2);
    assert.equal(update.status, 204);
    const refused = await owner.from('reviews').delete().eq('author', 'Max').maxAffected(1);
    assert.equal(refused.error.code, 'PGRST124');
    assert.match(refused.error.details, /2 rows/);
    const removed = await owner.from('reviews').delete({ count: 'exact' }).eq('author', 'Max').maxAffected(2);
    assert.equal(removed.count, 2);
  });
});

describe('on the wire', () => {
  test('an insert of rows names their columns, and asks for defaults when told', async () => {
    const { db, sent } = recording();
    const rows = [{ product_id: 1, author: 'Wire', stars: 1 }, { product_id: 1, author: 'Wire', stars: 2, body: 'x' }];
    const { error } = await db.from('reviews').insert(rows, { defaultToNull: false });
    assert.equal(error, null);
    assert.equal(sent.url.searchParams.get('columns'), '"product_id","author","stars","body"');
    assert.match(sent.headers.get('prefer'), /missing=default/);
  });

  test('a delete carries a content type and no body', async () => {
    const { db, sent } = recording();
    const { status } = await db.from('reviews').delete().eq('author', 'Wire');
    assert.equal(status, 204);
    assert.equal(sent.method, 'DELETE');
    assert.equal(sent.headers.get('content-type'), 'application/json');
  });

  test('or and order inside a related table', async () => {
    const { db, sent } = recording();
    const { data, error } = await db
      .from('orders')
      .select('id, order_lines(line)')
      .eq('id', 3)
      .or('quantity.gt.1,unit_price.lt.30', { referencedTable: 'order_lines' })
      .order('line', { referencedTable: 'order_lines', ascending: false, nullsFirst: false });
    assert.equal(error, null);
    assert.deepEqual(data, [{ id: 3, order_lines: [{ line: 3 }, { line: 2 }] }]);
    assert.equal(sent.url.searchParams.get('order_lines.or'), '(quantity.gt.1,unit_price.lt.30)');
    assert.equal(sent.url.searchParams.get('order_lines.order'), 'line.desc.nullslast');
  });

  test('a page is limit and offset, in the related table too', async () => {
    const { db, sent } = recording();
    const { data } = await db
      .from('orders')
      .select('id, order_lines(line)')
      .eq('id', 3)
      .order('line', { referencedTable: 'order_lines' })
      .range(1, 1, { referencedTable: 'order_lines' });
    assert.deepEqual(data, [{ id: 3, order_lines: [{ line: 2 }] }]);
    assert.equal(sent.url.searchParams.get('order_lines.offset'), '1');
    assert.equal(sent.headers.get('range'), null);
  });

  test('the schema that supabase-js always names, and only that', async () => {
    const options = {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: class NoSocket {} },
    };
    const client = createClient(url, publishableKey, options);
    const { count, error } = await client.from('products').select('*', { count: 'exact', head: true });
    assert.equal(error, null);
    assert.equal(count, 10);
    const other = await client.schema('private').from('products').select();
    assert.equal(other.status, 406);
    assert.equal(other.error.code, 'PGRST106');
  });
});
