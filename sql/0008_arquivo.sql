-- The archive: pages of deliveries and events by state, time and any field of the payload, retention, replay.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- Deliveries are paged by (recebida_em, id). The index has no id: an incremental sort of one instant gives it,
-- and an insert pays for eight bytes at the index's right end.
CREATE INDEX entregas_recebidas ON entregas (recebida_em);
-- Dead letters and pending ones are few among the rest, and have pages and a count of their own.
CREATE INDEX entregas_abertas ON entregas (estado, recebida_em, id) WHERE estado <> 'processada';
CREATE INDEX entregas_motivos ON entregas (left(motivo, 200), recebida_em, id) WHERE estado = 'morta';
DROP INDEX entregas_mortas;
CREATE INDEX eventos_entrega ON eventos (entrega_id);
CREATE INDEX eventos_recentes ON eventos (criado_em);

COMMENT ON INDEX entregas_recebidas IS 'Pages of deliveries, newest first, and their from-to filter';
COMMENT ON INDEX entregas_abertas IS 'The same for dead letters and for what is pending';
COMMENT ON INDEX entregas_motivos IS 'The same for the dead letters of one reason';
COMMENT ON INDEX eventos_entrega IS 'The events that a delivery brought first';
COMMENT ON INDEX eventos_recentes IS 'Pages of events, newest first, and their from-to filter';

-- A page of deliveries, newest first: of p_estado (NULL: any), received in [p_desde, p_ate), dead for p_motivo,
-- behind (p_antes_em, p_antes_id); without p_antes_em the row p_antes_id tells it. PostgreSQL puts this body in
-- place of the call and plans it with the values when the statement is not a prepared one. (That is why there is
-- no SET here, and $n, which no column can hide.)
CREATE FUNCTION entregas_pagina(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text,
                                p_antes_em timestamptz, p_antes_id bigint, p_limite bigint)
    RETURNS SETOF entregas LANGUAGE sql STABLE AS $$
    SELECT e.*
      FROM entregas e
     WHERE ($1 IS NULL OR e.estado = $1)
       AND ($2 IS NULL OR e.recebida_em >= $2)
       AND ($3 IS NULL OR e.recebida_em < $3)
       AND ($4 IS NULL OR left(e.motivo, 200) = left($4, 200))
       AND ($6 IS NULL OR (e.recebida_em, e.id) <
            (coalesce($5, (SELECT a.recebida_em FROM entregas a WHERE a.id = $6)), $6))
     ORDER BY e.recebida_em DESC, e.id DESC LIMIT $7
$$;
COMMENT ON FUNCTION entregas_pagina(text, timestamptz, timestamptz, text, timestamptz, bigint, bigint) IS
    'GET /api/entregas and fila mortas, fila entregas; to be called in an unprepared statement';

CREATE FUNCTION eventos_pagina(p_entrega bigint, p_desde timestamptz, p_ate timestamptz, p_antes_em timestamptz,
                               p_antes_id bigint, p_limite bigint)
    RETURNS SETOF eventos LANGUAGE sql STABLE AS $$
    SELECT e.*
      FROM eventos e
     WHERE ($1 IS NULL OR e.entrega_id = $1)
       AND ($2 IS NULL OR e.criado_em >= $2)
       AND ($3 IS NULL OR e.criado_em < $3)
       AND ($5 IS NULL OR (e.criado_em, e.id) <
            (coalesce($4, (SELECT a.criado_em FROM eventos a WHERE a.id = $5)), $5))
     ORDER BY e.criado_em DESC, e.id DESC LIMIT $6
$$;
COMMENT ON FUNCTION eventos_pagina(bigint, timestamptz, timestamptz, timestamptz, bigint, bigint) IS
    'GET /api/eventos and fila eventos without a field; to be called in an unprepared statement';

-- ---- any field of the payload ----

-- Each scalar of a payload has two small numbers here: one of its value, one of its key and value. A search looks
-- one number up and then reads the events themselves, so that a collision finds nothing wrong. The worker makes the
-- numbers afterwards: the transaction that stores events does not pay for them.
CREATE TABLE eventos_busca (
    criado_em timestamptz NOT NULL,
    id bigint NOT NULL,
    folhas int[] NOT NULL,
    PRIMARY KEY (criado_em, id)
);
CREATE INDEX eventos_busca_folhas ON eventos_busca USING gin (folhas)
    WITH (fastupdate = on, gin_pending_list_limit = 1024);

COMMENT ON TABLE eventos_busca IS 'What eventos_indexar made of each event: of every one up to eventos_indexacao.ate';
COMMENT ON COLUMN eventos_busca.folhas IS 'eventos_folhas(conteudo)';
COMMENT ON INDEX eventos_busca_folhas IS 'The pending list spares the chore work; its limit (kB) keeps it short for searches';

CREATE TABLE eventos_indexacao (
    unica boolean PRIMARY KEY DEFAULT true CHECK (unica),
    ate bigint NOT NULL DEFAULT 0,
    alvo bigint NOT NULL DEFAULT 0,
    esperadas text[] NOT NULL DEFAULT '{}'
);
INSERT INTO eventos_indexacao DEFAULT VALUES;

COMMENT ON TABLE eventos_indexacao IS 'One row: how far eventos_busca goes';
COMMENT ON COLUMN eventos_indexacao.ate IS 'Every event with an id up to this one is in eventos_busca';
COMMENT ON COLUMN eventos_indexacao.alvo IS 'Ids up to this one had been given out when it was noted';
COMMENT ON COLUMN eventos_indexacao.esperadas IS
    'Transactions that were writing events then: when they are over, no event up to alvo can still turn up';

CREATE FUNCTION eventos_folhas(conteudo jsonb) RETURNS int[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT f), '{}')
      FROM (SELECT hashtext(v #>> '{}') AS f
              FROM jsonb_path_query($1, 'strict $.**') v
             WHERE jsonb_typeof(v) IN ('string', 'number', 'boolean')
             UNION ALL
            SELECT hashtext((par ->> 'key') || '=' || (v #>> '{}'))
              FROM jsonb_path_query($1, 'strict $.** ? (@.type() == "object").keyvalue()') par
             CROSS JOIN LATERAL jsonb_path_query(par -> 'value', 'lax $[*]') v
             WHERE jsonb_typeof(v) IN ('string', 'number', 'boolean')) t
$$;
COMMENT ON FUNCTION eventos_folhas(jsonb) IS
    'A number for each scalar, and one for each scalar with the key that it, or its array, stands under';

-- {value,form_id}: the members that stand in a row somewhere in the payload; {} or NULL: any scalar.
CREATE FUNCTION eventos_caminho(caminho text[]) RETURNS jsonpath
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN coalesce(cardinality($1), 0) = 0 THEN 'lax $.**'::jsonpath
           ELSE ('lax $.**.' || (SELECT string_agg(to_json(k)::text, '.' ORDER BY i)
                                   FROM unnest($1) WITH ORDINALITY AS u(k, i)) || '[*]')::jsonpath END
$$;
COMMENT ON FUNCTION eventos_caminho(text[]) IS 'Where eventos_contem looks';

CREATE FUNCTION eventos_contem(conteudo jsonb, caminho jsonpath, valor text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM jsonb_path_query($1, $2) v
                    WHERE v #>> '{}' = $3 AND jsonb_typeof(v) IN ('string', 'number', 'boolean'))
$$;
COMMENT ON FUNCTION eventos_contem(jsonb, jsonpath, text) IS 'Is a scalar there whose text is valor?';

-- Brings eventos_busca forward by at most `quantos` events; answers how many it took (0: nothing to do, events are
-- still being written, or another session is at it).
--   Ids are given out in order and committed in any: an event with a lower id may turn up after one with a higher.
-- A writer holds its lock on eventos from before it takes an id to its end, so: note the last id given out, then who
-- holds that lock; when those are gone, all events up to that id can be seen. Nobody waits, nobody is kept waiting.
-- That needs a new snapshot for each statement.
--   Fifty at a time until 200 ms are over: events of the largest size take long.
CREATE FUNCTION eventos_indexar(quantos int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    e eventos_indexacao;
    inicio timestamptz := clock_timestamp();
    ultimo bigint;
    n int;
    feitos int := 0;
BEGIN
    IF current_setting('transaction_isolation') NOT LIKE 'read %'
       OR NOT pg_try_advisory_xact_lock(1097623907, 'eventos_busca'::regclass::oid::int) THEN
        RETURN 0;
    END IF;
    SELECT * INTO STRICT e FROM eventos_indexacao;
    IF e.alvo <= e.ate THEN
        SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO e.alvo FROM eventos_id_seq;
        IF e.alvo <= e.ate THEN
            RETURN 0;
        END IF;
        SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') INTO e.esperadas FROM pg_locks
         WHERE locktype = 'relation' AND relation = 'eventos'::regclass AND mode = 'RowExclusiveLock' AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
        UPDATE eventos_indexacao SET alvo = e.alvo, esperadas = e.esperadas;
    END IF;
    IF cardinality(e.esperadas) > 0 THEN
        IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = 'eventos'::regclass
                      AND mode = 'RowExclusiveLock' AND virtualtransaction = ANY (e.esperadas)) THEN
            RETURN 0;
        END IF;
        e.esperadas := '{}';
    END IF;

    LOOP
        WITH parte AS MATERIALIZED (
            SELECT id, criado_em, conteudo FROM eventos WHERE id > e.ate AND id <= e.alvo ORDER BY id LIMIT 50),
        novos AS (
            INSERT INTO eventos_busca (criado_em, id, folhas)
            SELECT criado_em, id, eventos_folhas(conteudo) FROM parte WHERE conteudo IS NOT NULL
                ON CONFLICT DO NOTHING) -- eventos_reindexar was first, with what is newer
        SELECT count(*), max(id) INTO n, ultimo FROM parte;
        feitos := feitos + n;
        e.ate := CASE WHEN n < 50 THEN e.alvo ELSE ultimo END;
        EXIT WHEN e.ate >= e.alvo OR feitos >= quantos OR clock_timestamp() > inicio + interval '200 ms';
    END LOOP;
    UPDATE eventos_indexacao SET ate = e.ate, esperadas = '{}';
    RETURN greatest(feitos, 1); -- the ids may all have been rolled back: there may be more behind them
END $$;
COMMENT ON FUNCTION eventos_indexar(int) IS 'The worker calls it until it answers 0; any number of sessions may';

-- A newer version of an event takes the place of an older one (store_evento): its numbers follow at once. It may be
-- indexed already, or at this moment; whoever comes second finds the row of the first.
CREATE FUNCTION eventos_reindexar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO eventos_busca VALUES (NEW.criado_em, NEW.id, coalesce(eventos_folhas(NEW.conteudo), '{}'))
        ON CONFLICT (criado_em, id) DO UPDATE SET folhas = excluded.folhas;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION eventos_reindexar() IS 'Keeps eventos_busca after UPDATE of a payload';
CREATE TRIGGER eventos_mudados AFTER UPDATE OF conteudo ON eventos
    FOR EACH ROW WHEN (OLD.conteudo IS DISTINCT FROM NEW.conteudo) EXECUTE FUNCTION eventos_reindexar();

CREATE FUNCTION eventos_esvaziar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    TRUNCATE eventos_busca;
    UPDATE eventos_indexacao SET ate = 0, alvo = 0, esperadas = '{}';
    RETURN NULL;
END $$;
COMMENT ON FUNCTION eventos_esvaziar() IS 'Begins the index anew after TRUNCATE of eventos';
CREATE TRIGGER eventos_truncados AFTER TRUNCATE ON eventos
    FOR EACH STATEMENT EXECUTE FUNCTION eventos_esvaziar();

-- A page of events, newest first, that have p_valor at p_caminho (NULL: anywhere). What is not indexed yet is read
-- directly, the newest 20,000 of it; eventos_atraso tells whether there is more.
--   A rare value is looked up, and its few events sorted. One that more than 5,000 events have may also be looked
-- for in order, from the newest on: PostgreSQL decides. Page by page, each larger than the last, because a number
-- that fits may still turn out to stand under another path.
--   A path of several members costs a look at every event that has the value under its last one: as many as there
-- are, if none of them has the others above it (some 20 us each).
CREATE FUNCTION eventos_buscar(p_caminho text[], p_valor text, p_desde timestamptz, p_ate timestamptz,
                               p_antes_em timestamptz, p_antes_id bigint, p_limite bigint)
    RETURNS SETOF eventos
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off AS $$
DECLARE
    caminho jsonpath := eventos_caminho(p_caminho);
    folha int := hashtext(CASE WHEN cardinality(p_caminho) > 0
                               THEN p_caminho[cardinality(p_caminho)] || '=' ELSE '' END || p_valor);
    desde timestamptz := coalesce(p_desde, '-infinity');
    antes_em timestamptz := coalesce(p_antes_em, (SELECT criado_em FROM eventos WHERE id = p_antes_id), 'infinity');
    antes_id bigint := coalesce(p_antes_id, 9223372036854775807);
    indexados bigint := (SELECT ate FROM eventos_indexacao);
    passo bigint := 2 * p_limite;
    achados bigint[];
    parte bigint[];
    raros boolean;
    n bigint;
BEGIN
    IF p_ate <= antes_em THEN
        antes_em := p_ate;
        antes_id := -9223372036854775808;
    END IF;
    SELECT array_agg(id) INTO achados FROM (
        SELECT e.id
          FROM (SELECT * FROM eventos WHERE id > indexados ORDER BY id DESC LIMIT 20000) e
         WHERE e.criado_em >= desde AND (e.criado_em, e.id) < (antes_em, antes_id)
           AND eventos_contem(e.conteudo, caminho, p_valor)
         ORDER BY e.criado_em DESC, e.id DESC LIMIT p_limite) t;

    EXECUTE format('SELECT count(*) <= 5000 FROM (SELECT FROM eventos_busca WHERE folhas @> ARRAY[%s] LIMIT 5001) t',
                   folha) INTO raros;
    n := p_limite;
    LOOP
        EXECUTE format(
            'SELECT array_agg(id ORDER BY criado_em DESC, id DESC), min(criado_em) FROM ('
            'SELECT id, criado_em FROM (SELECT * FROM eventos_busca WHERE folhas @> ARRAY[%s] %s) b'
            ' WHERE criado_em >= %L AND (criado_em, id) < (%L, %s) AND id <= %s'
            ' ORDER BY criado_em DESC, id DESC LIMIT %s) t',
            folha, CASE WHEN raros THEN 'OFFSET 0' END, desde, antes_em, antes_id, indexados, passo)
            INTO parte, antes_em;
        EXIT WHEN parte IS NULL;
        antes_id := parte[cardinality(parte)];
        SELECT achados || array_agg(e.id), n - count(*) INTO achados, n
          FROM unnest(parte) AS i CROSS JOIN LATERAL (SELECT * FROM eventos WHERE id = i OFFSET 0) e
         WHERE eventos_contem(e.conteudo, caminho, p_valor);
        EXIT WHEN n <= 0 OR cardinality(parte) < passo;
        passo := least(4 * passo, 100000);
    END LOOP;

    RETURN QUERY SELECT e.*
      FROM unnest(achados) AS i CROSS JOIN LATERAL (SELECT * FROM eventos WHERE id = i OFFSET 0) e
     ORDER BY e.criado_em DESC, e.id DESC LIMIT p_limite;
END $$;
COMMENT ON FUNCTION eventos_buscar(text[], text, timestamptz, timestamptz, timestamptz, bigint, bigint) IS
    'GET /api/eventos and fila eventos with a field';

CREATE FUNCTION eventos_atraso() RETURNS bigint
    LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT greatest(coalesce((SELECT max(id) FROM eventos), 0) - ate, 0) FROM eventos_indexacao
$$;
COMMENT ON FUNCTION eventos_atraso() IS
    'At most so many events are not indexed yet; of more than 20,000 a search reads only the newest';

-- ---- retention ----

CREATE TABLE entregas_limpeza (
    unica boolean PRIMARY KEY DEFAULT true CHECK (unica),
    ate bigint NOT NULL DEFAULT 0,
    recomeco_em timestamptz NOT NULL DEFAULT now()
);
INSERT INTO entregas_limpeza DEFAULT VALUES;

COMMENT ON TABLE entregas_limpeza IS 'One row: how far entregas_expirar has come';
COMMENT ON COLUMN entregas_limpeza.ate IS 'Ids up to this one were looked at; what is left of them had to stay then';
COMMENT ON COLUMN entregas_limpeza.recomeco_em IS
    'When it began at the first id. It does so once a day: what was dead or pending may be processed by now';

-- Deletes deliveries that are 'processada' and were archived more than p_dias days ago, looking at p_quantas rows;
-- answers how many rows it looked at and is done with (0: nothing to do, or another session is at it). Goes by id
-- from where the last call stopped, so that neither deleted rows nor those that stay are looked at again; ids follow
-- criada_em but for the length of a transaction. Rows that somebody has in hand are left for the next round.
CREATE FUNCTION entregas_expirar(p_dias int, p_quantas int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    limite timestamptz := now() - make_interval(days => p_dias);
    onde entregas_limpeza;
    vistas bigint[];
    velhas bigint[];
BEGIN
    IF p_dias <= 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO onde FROM entregas_limpeza FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT array_agg(id ORDER BY id) FILTER (WHERE antes), array_agg(id) FILTER (WHERE antes AND estado = 'processada')
      INTO vistas, velhas
      FROM (SELECT id, estado, bool_and(criada_em < limite) OVER (ORDER BY id) AS antes
              FROM (SELECT id, estado, criada_em FROM entregas WHERE id > onde.ate ORDER BY id LIMIT p_quantas) t) u;
    IF vistas IS NULL THEN
        IF onde.recomeco_em < now() - interval '1 day' AND onde.ate > 0 THEN
            UPDATE entregas_limpeza SET ate = 0, recomeco_em = now();
            RETURN 1;
        END IF;
        RETURN 0;
    END IF;
    DELETE FROM entregas WHERE id = ANY (ARRAY(
        SELECT id FROM entregas WHERE id = ANY (velhas) AND estado = 'processada' ORDER BY id FOR UPDATE SKIP LOCKED));
    UPDATE entregas_limpeza SET ate = vistas[cardinality(vistas)];
    RETURN cardinality(vistas);
END $$;
COMMENT ON FUNCTION entregas_expirar(int, int) IS
    'Retention: the worker calls it until it answers 0; dead letters, pending ones, events and leads stay';

CREATE FUNCTION entregas_esvaziar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE entregas_limpeza SET ate = 0;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION entregas_esvaziar() IS 'Ids may begin anew after TRUNCATE of entregas';
CREATE TRIGGER entregas_truncadas AFTER TRUNCATE ON entregas
    FOR EACH STATEMENT EXECUTE FUNCTION entregas_esvaziar();

-- ---- replay ----

-- One step of sending again, oldest first: the next p_limite deliveries of p_estado behind (p_depois_em, p_depois_id)
-- become 'pendente', due at once. The worker does the rest and adds only what is new.
--   p_formulario: those that brought a lead of this form first. They are looked for among that form's leads.
CREATE FUNCTION entregas_reenviar(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text,
                                  p_formulario text, p_depois_em timestamptz, p_depois_id bigint, p_limite bigint)
    RETURNS TABLE (id bigint, recebida_em timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
    filtro text := format('e.estado = %L', p_estado);
BEGIN
    IF p_desde IS NOT NULL THEN
        filtro := filtro || format(' AND e.recebida_em >= %L', p_desde);
    END IF;
    IF p_ate IS NOT NULL THEN
        filtro := filtro || format(' AND e.recebida_em < %L', p_ate);
    END IF;
    IF p_motivo IS NOT NULL THEN
        filtro := filtro || format(' AND left(e.motivo, 200) = left(%L, 200)', p_motivo);
    END IF;
    IF p_formulario IS NOT NULL THEN
        filtro := filtro || format(' AND e.id IN (SELECT l.entrega_id FROM leads l WHERE l.formulario_id = %L)',
                                   p_formulario);
    END IF;
    IF p_depois_id IS NOT NULL THEN
        filtro := filtro || format(' AND (e.recebida_em, e.id) > (%L, %s)', p_depois_em, p_depois_id);
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH achadas AS MATERIALIZED (SELECT e.id FROM entregas e WHERE %s'
        ' ORDER BY e.recebida_em, e.id LIMIT %s FOR UPDATE SKIP LOCKED)'
        ' UPDATE entregas e SET estado = ''pendente'', tentativas = 0, motivo = NULL, proxima_em = now()'
        ' FROM achadas a WHERE e.id = a.id RETURNING e.id, e.recebida_em', filtro, p_limite);
END $$;
COMMENT ON FUNCTION entregas_reenviar(text, timestamptz, timestamptz, text, text, timestamptz, bigint, bigint) IS
    'fila reenviar by filter; a step ends when it answers fewer than p_limite';
