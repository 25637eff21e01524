-- What is to be known of the server.
SELECT current_setting('server_version_num')::int4, EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis')
