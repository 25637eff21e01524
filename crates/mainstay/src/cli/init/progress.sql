--- description = "How far each list has come."
--- access = true
--- returns.fields.list_id = { ref = "lists", primary = true }
--- returns.fields.open = "bigint"
--- returns.fields.done = "bigint"

-- A function: GET /rest/v1/rpc/progress. Lines that begin with three hyphens say who may call it and what comes back.
SELECT list_id, sum(status = 'open') AS open, sum(status = 'done') AS done
FROM tasks
GROUP BY list_id
ORDER BY list_id;
