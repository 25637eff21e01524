-- Implicit casts between a domain and `json` or `text` that a function does which we may call.
SELECT format_type(c.castsource, NULL), format_type(c.casttarget, NULL), n.nspname, p.proname
FROM pg_cast c
JOIN pg_type source ON source.oid = c.castsource
JOIN pg_type target ON target.oid = c.casttarget
JOIN pg_proc p ON p.oid = c.castfunc
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.castcontext = 'i' AND c.castmethod = 'f' AND has_function_privilege(c.castfunc, 'execute')
  AND ((source.typtype = 'd' AND c.casttarget IN ('json'::regtype, 'text'::regtype))
    OR (target.typtype = 'd' AND c.castsource IN ('json'::regtype, 'text'::regtype)))
