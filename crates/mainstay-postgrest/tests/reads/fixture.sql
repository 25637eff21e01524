CREATE SCHEMA test;
CREATE SCHEMA hidden;
SET search_path = test;

CREATE TABLE clients (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE projects (id int PRIMARY KEY, name text NOT NULL, client_id int REFERENCES clients);
CREATE TABLE tasks (id int PRIMARY KEY, name text, project_id int REFERENCES projects);
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE users_tasks (user_id int REFERENCES users, task_id int REFERENCES tasks, PRIMARY KEY (user_id, task_id));
INSERT INTO clients VALUES (1, 'Microsoft'), (2, 'Apple'), (3, 'Empty');
INSERT INTO projects VALUES (1, 'Windows 7', 1), (2, 'Windows 10', 1), (3, 'IOS', 2), (4, 'OSX', 2), (5, 'Orphan', NULL);
INSERT INTO tasks VALUES (1, 'Design w7', 1), (2, 'Code w7', 1), (3, 'Design w10', 2), (4, 'Code w10', 2),
    (5, 'Design IOS', 3), (6, 'Code IOS', 3), (7, 'Design OSX', 4), (8, 'Lost', NULL);
INSERT INTO users VALUES (1, 'Angela Martin'), (2, 'Michael Scott'), (3, 'Dwight Schrute');
INSERT INTO users_tasks VALUES (1, 1), (1, 2), (1, 3), (2, 5), (2, 6), (3, 1);

CREATE VIEW projects_view AS SELECT * FROM projects;

-- Two keys to one table, and to itself.
CREATE TABLE addresses (id int PRIMARY KEY, street text);
CREATE TABLE orders (id int PRIMARY KEY, label text, billing int REFERENCES addresses, shipping int REFERENCES addresses);
INSERT INTO addresses VALUES (1, 'First'), (2, 'Second'), (3, 'Third');
INSERT INTO orders VALUES (1, 'one', 1, 2), (2, 'two', 2, 2), (3, 'three', NULL, 1);
CREATE TABLE employees (id int PRIMARY KEY, name text, boss int REFERENCES employees);
INSERT INTO employees VALUES (1, 'Ann', NULL), (2, 'Bob', 1), (3, 'Cid', 1), (4, 'Dot', 2);
CREATE TABLE posters (id int PRIMARY KEY, name text);
CREATE TABLE follows (
    follower int CONSTRAINT follows_follower_fkey REFERENCES posters,
    followed int CONSTRAINT follows_followed_fkey REFERENCES posters,
    PRIMARY KEY (follower, followed)
);
INSERT INTO posters VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO follows VALUES (1, 2), (1, 3), (2, 3);

-- Keys in both directions, and a junction besides.
CREATE TABLE agents (id int PRIMARY KEY, department int);
CREATE TABLE departments (id int PRIMARY KEY, head int REFERENCES agents);
ALTER TABLE agents ADD FOREIGN KEY (department) REFERENCES departments;
CREATE TABLE agents_departments (agent int REFERENCES agents, department int REFERENCES departments, PRIMARY KEY (agent, department));

-- One to one.
CREATE TABLE countries (id int PRIMARY KEY, name text);
CREATE TABLE capitals (id int PRIMARY KEY, name text, country_id int UNIQUE REFERENCES countries);
INSERT INTO countries VALUES (1, 'Afghanistan'), (2, 'Algeria'), (3, 'Nowhere');
INSERT INTO capitals VALUES (1, 'Kabul', 1), (2, 'Algiers', 2);

-- A key of two columns.
CREATE TABLE seats (room text, number int, PRIMARY KEY (room, number));
CREATE TABLE guests (name text PRIMARY KEY, room text, number int, FOREIGN KEY (room, number) REFERENCES seats);
INSERT INTO seats VALUES ('a', 1), ('a', 2);
INSERT INTO guests VALUES ('Joe', 'a', 1), ('Sue', 'a', 2), ('Tim', NULL, 2);
CREATE FUNCTION initial(guests) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT left($1.name, 1) $$;
CREATE FUNCTION seat(guests) RETURNS SETOF seats ROWS 1 STABLE LANGUAGE sql
    AS $$ SELECT * FROM test.seats WHERE room = $1.room AND number = $1.number $$;

-- Relationships and columns that are functions.
CREATE FUNCTION first_task(projects) RETURNS SETOF tasks ROWS 1 STABLE LANGUAGE sql
    AS $$ SELECT * FROM test.tasks WHERE project_id = $1.id ORDER BY id LIMIT 1 $$;
CREATE FUNCTION late_tasks(projects) RETURNS SETOF tasks STABLE LANGUAGE sql
    AS $$ SELECT * FROM test.tasks WHERE project_id = $1.id AND id > 1 ORDER BY id $$;
CREATE FUNCTION shout(clients) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper($1.name) $$;
CREATE FUNCTION words(clients) RETURNS tsvector IMMUTABLE LANGUAGE sql AS $$ SELECT to_tsvector('simple', $1.name) $$;
CREATE FUNCTION projects_of(client int) RETURNS SETOF projects STABLE LANGUAGE sql
    AS $$ SELECT * FROM test.projects WHERE client_id = client $$;
CREATE FUNCTION clients_from(lowest int) RETURNS SETOF clients STABLE LANGUAGE sql
    AS $$ SELECT * FROM test.clients WHERE id >= lowest $$;
CREATE FUNCTION halves(n int) RETURNS TABLE (half int, is_even bool) IMMUTABLE LANGUAGE sql
    AS $$ SELECT i / 2, i % 2 = 0 FROM generate_series(1, n) i $$;

-- Types.
CREATE TYPE point3 AS (x int, y int, z int);
CREATE TABLE things (
    id int PRIMARY KEY, flag bool, data jsonb, doc json, tags text[], spot point3, span int4range,
    body text, vector tsvector, amount numeric(10, 2), at timestamptz, raw bytea
);
INSERT INTO things VALUES
    (1, true, '{"a": {"b": [10, {"c": "x"}]}, "n": 1}', '{"k": "v", "nested": {"k": 2}}', '{red,"dark green"}', '(1,2,3)', '[1,5)',
     'The fat cats are eating', to_tsvector('english', 'The fat cats are eating'), 1.50, '2020-01-02 03:04:05Z', '\x0102'),
    (2, false, '{"a": null, "n": 2}', NULL, '{blue}', '(4,5,6)', '[5,9)',
     'Ein Hund im Garten', to_tsvector('german', 'Ein Hund im Garten'), 2.25, '2021-01-02 03:04:05Z', NULL),
    (3, NULL, '[1, 2]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE odd ("select" int, "a.b" text, "with ""quote" text, "Ünï cödé" text);
INSERT INTO odd VALUES (1, 'dot', 'quote', 'uni');

-- A domain with forms of its own.
CREATE DOMAIN color AS int;
CREATE FUNCTION color_json(color) RETURNS json IMMUTABLE LANGUAGE sql
    AS $$ SELECT to_json('#' || lpad(upper(to_hex($1::int)), 6, '0')) $$;
CREATE FUNCTION color_text(text) RETURNS color IMMUTABLE LANGUAGE sql
    AS $$ SELECT (('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int)::test.color $$;
CREATE CAST (color AS json) WITH FUNCTION color_json(color) AS IMPLICIT;
CREATE CAST (text AS color) WITH FUNCTION color_text(text) AS IMPLICIT;
CREATE TABLE paints (id int PRIMARY KEY, shade color, client_id int REFERENCES clients);
INSERT INTO paints VALUES (1, 255, 1), (2, 256, 1), (3, NULL, 2);

-- What lies elsewhere cannot be reached.
CREATE TABLE hidden.notes (id int PRIMARY KEY, client_id int REFERENCES clients);

-- Sums.
CREATE TABLE budgets (id int PRIMARY KEY, project_id int REFERENCES projects, kind text, sum numeric, info jsonb);
INSERT INTO budgets VALUES (1, 1, 'x', 10.5, '{"n": 1}'), (2, 1, 'y', 20, '{"n": 1}'), (3, 3, 'x', 5, '{"n": 2}'), (4, NULL, 'z', 1, NULL);
