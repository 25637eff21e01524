-- What is to be known of the server.
SELECT current_setting('server_version_num')::int4
