-- Looking leads up in the Graph API: the rows of `leads` that are 'pendente' are the work, and each of them says
-- when its turn is. A worker that takes one moves its turn into the future (a lease) and asks without holding a
-- transaction; when it dies the lease runs out and another one takes the lead.

ALTER TABLE leads
    ADD COLUMN proxima_em timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN tentativas int NOT NULL DEFAULT 0,
    ADD COLUMN consultado_em timestamptz,
    ADD COLUMN ultimo_erro text;

-- To claim by, in the order in which they are due. What it costs a new lead: one more entry of 8 bytes, and the
-- cheapest there is: all rows of a transaction have the same now(), later than any before, so it goes to the end of
-- the last page, next to its neighbours, where equal keys are kept once. leads_estado cannot do this work: leads
-- that wait for a later attempt would lie before those that are due, and each claim would pass over all of them;
-- without 'pendente' in it the pages of that state would have no index. No column is added to the key: which lead
-- comes first among equals does not matter. A claim touches the other indexes of the row too (proxima_em is
-- indexed, so the update is not HOT); look-ups are some hundred a second at most, inserts many thousand.
CREATE INDEX leads_a_consultar ON leads (proxima_em) WHERE estado = 'pendente';

-- The leads whose turn it is, at most `limite`, locked, without those that others have locked. A function for its
-- SET: after a burst of leads and before the next ANALYZE the planner takes the few rows that it expects to be due
-- by another index and sorts them, which are all that wait. Read in the order of the index it is `limite` rows.
CREATE FUNCTION leads_devidos(limite bigint)
    RETURNS TABLE (leadgen_id text, pagina_id text, proxima_em timestamptz)
    LANGUAGE sql ROWS 100
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
    SELECT l.leadgen_id, l.pagina_id, l.proxima_em FROM leads l
    WHERE l.estado = 'pendente' AND l.proxima_em <= now()
    ORDER BY l.proxima_em LIMIT limite FOR UPDATE SKIP LOCKED
$$;
COMMENT ON FUNCTION leads_devidos IS 'Locks the leads that are to be looked up now, in the order in which they are due';

COMMENT ON COLUMN leads.proxima_em IS
    'While pendente: not to be asked for before, either because a worker is asking just now or because the last attempt failed; else of no meaning';
COMMENT ON COLUMN leads.tentativas IS 'Look-ups that failed, rate limits not counted; after 10 it is falhou';
COMMENT ON COLUMN leads.consultado_em IS 'When the Graph API last answered about it, whatever it said';
COMMENT ON COLUMN leads.ultimo_erro IS 'Why the last look-up failed; NULL once one succeeded';
COMMENT ON INDEX leads_a_consultar IS 'What there is to look up, in the order in which it is due';
