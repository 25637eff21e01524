// The Chinook database, made by its own script and served as it is, with postgrest-js.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { found } from './server.js';

const script = join(process.env.MAINSTAY_EXAMPLE, '../../../shared/data/chinook/chinook_sqlite.sql.gz');

/** Python brings SQLite along; the script alone would flush for each of its thousands of statements. */
const make = `
import gzip, sqlite3, sys
text = gzip.open(sys.argv[1], 'rt', encoding='utf-8-sig').read()
sqlite3.connect(sys.argv[2]).executescript('PRAGMA synchronous = off; BEGIN;' + text + '; COMMIT;')
`;

async function rows(query) {
  const { data, error } = await query;
  assert.equal(error, null);
  return data;
}

if (!existsSync(script)) {
  test('Chinook', { skip: 'the data set is not beside the workspace' }, () => {});
} else {
  const { owner, anon } = await found('chinook.db', (file) => execFileSync('python3', ['-c', make, script, file]));

  test('embeds lead from artists to the people who sell', async () => {
    const found = await rows(
      owner
        .from('Artist')
        .select('Name, Album(Title, Track(Name, Genre(Name), MediaType(Name), InvoiceLine(Invoice(Customer(Employee(LastName))))))')
        .eq('Name', 'AC/DC')
        .order('AlbumId', { referencedTable: 'Album' })
        .single(),
    );
    assert.equal(found.Album[0].Title, 'For Those About To Rock We Salute You');
    assert.equal(found.Album[0].Track[0].Genre.Name, 'Rock');
    const sellers = found.Album.flatMap((album) => album.Track)
      .flatMap((track) => track.InvoiceLine)
      .map((line) => line.Invoice.Customer.Employee.LastName);
    assert.ok(sellers.includes('Peacock'));
  });

  test('many to many, inner joins and counts', async () => {
    const { data, count, error } = await owner
      .from('Playlist')
      .select('Name, Track!inner(Name, Composer)', { count: 'exact' })
      .ilike('Track.Composer', '%mozart%')
      .order('PlaylistId')
      .limit(1);
    assert.equal(error, null);
    assert.equal(data[0].Name, 'Music');
    assert.ok(count > 1);
  });

  test('rows are written, changed, merged and deleted', async () => {
    const [artist] = await rows(owner.from('Artist').insert({ Name: 'Nobody' }).select());
    assert.equal(artist.ArtistId, 276);
    await rows(owner.from('Artist').upsert({ ArtistId: 276, Name: 'Somebody' }));
    assert.deepEqual(await rows(owner.from('Artist').select('Name').eq('ArtistId', 276)), [{ Name: 'Somebody' }]);
    const { error } = await owner.from('Album').insert({ Title: 'None', ArtistId: 9999 });
    assert.equal(error.code, '23503');
    assert.equal((await rows(owner.from('Artist').delete().eq('ArtistId', 276).select())).length, 1);
  });

  test('nobody else sees anything', async () => {
    const { error } = await anon.from('Artist').select();
    assert.equal(error.code, '42501');
  });
}
