// Relations with postgrest-js: each kind, hints, joins, and filters, order and limits inside.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shop } from './server.js';

const { anon, owner } = await shop();

/** The rows of an answer that must be one. */
async function rows(query) {
  const { data, error } = await query;
  assert.equal(error, null);
  return data;
}

describe('each kind of relation', () => {
  test('many to one is an object', async () => {
    assert.deepEqual(await rows(owner.from('order_lines').select('line, products(name)').eq('order_id', 1).order('line')), [
      { line: 1, products: { name: "Chef's knife" } },
      { line: 2, products: { name: 'Paring knife' } },
    ]);
  });

  test('one to many is an array, empty when there is none', async () => {
    const found = await rows(
      owner.from('customers').select('id, orders!customer_id(id)').order('id').order('id', { referencedTable: 'orders' }),
    );
    assert.deepEqual(found, [
      { id: 1, orders: [{ id: 1 }, { id: 2 }] },
      { id: 2, orders: [{ id: 3 }] },
      { id: 3, orders: [{ id: 4 }, { id: 5 }] },
      { id: 4, orders: [] },
    ]);
  });

  test('many to many goes through the table between', async () => {
    const found = await rows(
      anon.from('products').select('name, categories(name)').eq('id', 2).order('name', { referencedTable: 'categories' }),
    );
    assert.deepEqual(found, [{ name: "Chef's knife", categories: [{ name: 'Gifts' }, { name: 'Knives' }] }]);
  });

  test('one to one is an object from both sides, or null', async () => {
    const found = await rows(owner.from('customers').select('id, customer_settings(language)').order('id').limit(2));
    assert.deepEqual(found, [
      { id: 1, customer_settings: { language: 'en' } },
      { id: 2, customer_settings: null },
    ]);
    const back = await rows(owner.from('customer_settings').select('language, customers(name)').eq('customer_id', 3));
    assert.deepEqual(back, [{ language: 'ja', customers: { name: '千恵 佐藤' } }]);
  });

  test('to itself: the column names the parent, the table the children', async () => {
    const found = await rows(anon.from('categories').select('name, parent:parent_id(name)').in('id', [1, 2]).order('id'));
    assert.deepEqual(found, [
      { name: 'Kitchen', parent: null },
      { name: 'Knives', parent: { name: 'Kitchen' } },
    ]);
    const children = await rows(
      anon.from('categories').select('name, categories(name)').eq('id', 1).order('name', { referencedTable: 'categories' }),
    );
    assert.deepEqual(children, [{ name: 'Kitchen', categories: [{ name: 'Knives' }, { name: 'Pans' }] }]);
  });

  test('of a view', async () => {
    const found = await rows(owner.from('orders').select('id, order_totals(lines, pieces)').eq('id', 3));
    assert.deepEqual(found, [{ id: 3, order_totals: { lines: 3, pieces: 4 } }]);
  });
});

describe('hints and names', () => {
  test('two references to one table are told apart by their columns', async () => {
    const found = await rows(
      owner.from('orders').select('id, buyer:customers!customer_id(name), receiver:customers!gift_for(name)').eq('id', 2),
    );
    assert.deepEqual(found, [{ id: 2, buyer: { name: 'Ana Souza' }, receiver: { name: 'Béla Kiss' } }]);
  });

  test('the constraint is a hint too', async () => {
    const found = await rows(owner.from('orders').select('id, customers!orders_gift_for_fkey(name)').eq('id', 5));
    assert.deepEqual(found, [{ id: 5, customers: { name: 'Ana Souza' } }]);
  });

  test('without a hint the two are ambiguous, and the answer lists them', async () => {
    const { error, status } = await owner.from('orders').select('id, customers(name)');
    assert.equal(status, 300);
    assert.equal(error.code, 'PGRST201');
    assert.equal(error.details.length, 2);
    assert.deepEqual(Object.keys(error.details[0]).sort(), ['cardinality', 'embedding', 'relationship']);
    assert.match(error.hint, /customers!orders_customer_id_fkey/);
  });
});

describe('inside an embed', () => {
  test('nested three deep', async () => {
    const found = await rows(
      owner
        .from('orders')
        .select('id, order_lines(quantity, products(name, categories(name)))')
        .eq('id', 4),
    );
    assert.deepEqual(found, [
      { id: 4, order_lines: [{ quantity: 1, products: { name: 'Cast iron pan', categories: [{ name: 'Pans' }] } }] },
    ]);
  });

  test('a filter shapes the nested rows and keeps the parents', async () => {
    const found = await rows(
      owner.from('customers').select('id, orders!customer_id(id)').eq('orders.status', 'new').order('id'),
    );
    assert.deepEqual(found.map((row) => row.orders.map((order) => order.id)), [[], [3], [5], []]);
  });

  test('an inner join drops the parents that have none', async () => {
    const { data, count } = await owner
      .from('customers')
      .select('id, orders!customer_id!inner(id)', { count: 'exact' })
      .eq('orders.status', 'new')
      .order('id');
    assert.deepEqual(data, [
      { id: 2, orders: [{ id: 3 }] },
      { id: 3, orders: [{ id: 5 }] },
    ]);
    assert.equal(count, 2);
  });

  test('order and limit hold for each parent', async () => {
    const found = await rows(
      owner
        .from('customers')
        .select('id, orders!customer_id(id)')
        .order('id')
        .order('id', { referencedTable: 'orders', ascending: false })
        .limit(1, { referencedTable: 'orders' }),
    );
    assert.deepEqual(found.map((row) => row.orders.map((order) => order.id)), [[2], [3], [5], []]);
  });

  test('or inside', async () => {
    const found = await rows(
      owner
        .from('orders')
        .select('id, order_lines(line)')
        .eq('id', 3)
        .or('quantity.gt.1,unit_price.lt.30', { referencedTable: 'order_lines' })
        .order('line', { referencedTable: 'order_lines' }),
    );
    assert.deepEqual(found, [{ id: 3, order_lines: [{ line: 2 }, { line: 3 }] }]);
  });

  test('parents without a child, by a null test', async () => {
    const found = await rows(owner.from('customers').select('id, orders!customer_id()').is('orders', null));
    assert.deepEqual(found, [{ id: 4 }]);
  });

  test('order by a column of a to-one embed', async () => {
    const found = await rows(
      owner.from('order_lines').select('line, products(name)').eq('order_id', 3).order('products(name)'),
    );
    assert.deepEqual(found.map((row) => row.products.name), ['Cast iron pan', 'Crêpe pan', 'Linen apron']);
  });
});
