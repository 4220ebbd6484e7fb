-- What operators read: leads by words, by every filter, and deliveries by what they brought.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- ---- leads by words ----

-- Small letters, no accents (also decomposed ones), whatever the locale knows of letters.
CREATE FUNCTION leads_normalizar(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(translate($1, 'ÁÀÂÃÄÅáàâãäåÉÈÊËéèêëÍÌÎÏíìîïÓÒÔÕÖóòôõöÚÙÛÜúùûüÇçÑñ'
                               || U&'\0300\0301\0302\0303\0308\0327',
                           'aaaaaaaaaaaaeeeeeeeeiiiiiiiioooooooooouuuuuuuuccnn'))
$$;
COMMENT ON FUNCTION leads_normalizar(text) IS 'Text as the search of leads compares it';

-- What a lead is found by, by the beginning of any of them: the words of the name; the address from each of its
-- words on, but for the ends of the domain (ana.silva@x.com, silva@x.com, x.com); the telephone whole, without
-- country, without area, and its last eight and four digits.
CREATE FUNCTION leads_vetor(nome text, email text, telefone text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    endereco text := leads_normalizar(left(email, 300));
    digitos text := left(regexp_replace(telefone, '[^0-9]', '', 'g'), 40);
    palavras text[] := regexp_split_to_array(leads_normalizar(left(nome, 1000)), '[[:space:]!-/:-@[-`{-~]+');
BEGIN
    palavras := palavras || ARRAY(
        SELECT substr(endereco, 1 + coalesce(sum(length(parte) + 1) OVER (
                          ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::int)
          FROM string_to_table(translate(split_part(endereco, '@', 1), '_+-', '...'), '.') WITH ORDINALITY AS u(parte, n))
        || split_part(endereco, '@', 2)
        || ARRAY[digitos, substr(digitos, 3), substr(digitos, 5), right(digitos, 8), right(digitos, 4)];
    RETURN array_to_tsvector(ARRAY(SELECT DISTINCT left(p, 100) FROM unnest(palavras) p WHERE p <> ''));
END $$;
COMMENT ON FUNCTION leads_vetor(text, text, text) IS 'What leads_palavras keeps of a lead';

-- Every word of p_busca is the beginning of something: of a name's or address' word, of a telephone. Nothing but
-- digits and what is written between them is one telephone. NULL when no word is in it.
CREATE FUNCTION leads_consulta(p_busca text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    busca text := leads_normalizar(p_busca);
    consulta text := '';
    palavra text;
    pedacos text[];
BEGIN
    IF busca ~ '^[-+()./[:space:]0-9]+$' THEN
        busca := regexp_replace(busca, '[^0-9]', '', 'g');
    END IF;
    FOREACH palavra IN ARRAY regexp_split_to_array(busca, '[[:space:]]+') LOOP
        palavra := ltrim(palavra, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~');
        pedacos := array_remove(regexp_split_to_array(palavra, '[!-/:-@[-`{-~]+'), '');
        CONTINUE WHEN cardinality(pedacos) = 0;
        SELECT consulta || CASE WHEN consulta <> '' THEN '&' ELSE '' END || '(' || string_agg(q, '|') || ')'
          INTO consulta
          FROM (SELECT leads_lexema(palavra)
                UNION
                SELECT string_agg(leads_lexema(p), '&') FROM unnest(pedacos) p) u(q);
    END LOOP;
    RETURN nullif(consulta, '')::tsquery;
END $$;
COMMENT ON FUNCTION leads_consulta(text) IS 'The query for leads_vetor()';

CREATE FUNCTION leads_lexema(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '''' || replace(replace(left($1, 100), '\', '\\'), '''', '''''') || ''':*'
$$;
COMMENT ON FUNCTION leads_lexema(text) IS 'A word of a tsquery: whatever begins with it';

-- A column, not the expression: those that frequent words leave to be looked at one by one cost a tenth so. Nothing
-- happens when a lead is inserted, only when a look-up fills it in (and index entries are for these alone).
ALTER TABLE leads ADD COLUMN busca tsvector;
UPDATE leads SET busca = leads_vetor(nome, email, telefone)
 WHERE nome IS NOT NULL OR email IS NOT NULL OR telefone IS NOT NULL;

CREATE FUNCTION leads_anotar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.busca := nullif(leads_vetor(NEW.nome, NEW.email, NEW.telefone), '');
    RETURN NEW;
END $$;
COMMENT ON FUNCTION leads_anotar() IS 'Keeps leads.busca';
CREATE TRIGGER leads_completados BEFORE UPDATE OF nome, email, telefone ON leads
    FOR EACH ROW EXECUTE FUNCTION leads_anotar();

-- Without the pending list of GIN, which every search would have to read: look-ups are some hundred a second at most.
CREATE INDEX leads_palavras ON leads USING gin (busca) WITH (fastupdate = off) WHERE busca IS NOT NULL;
CREATE INDEX leads_completos ON leads (criado_em) WHERE estado = 'completo';

COMMENT ON COLUMN leads.busca IS
    'leads_vetor(nome, email, telefone), by a trigger of their UPDATE; who inserts a lead with a name gives it, too';
COMMENT ON INDEX leads_palavras IS 'Search by words, addresses and telephones';
COMMENT ON INDEX leads_completos IS
    'Pages of those that were looked up: where they are few among the rest, nothing else finds them';

-- The query of a page of leads, newest first: every filter may be NULL. p_busca: an id, or words; p_id: an id alone.
--   Rare words (5,000 leads) are looked up and their leads sorted. With frequent ones PostgreSQL decides: to go through
-- the leads in order until the page is full, mostly. It would often do that for rare ones, too, since it takes the
-- beginning of a word for more frequent than it is.
CREATE FUNCTION leads_sql(p_pagina text, p_formulario text, p_estado text, p_desde timestamptz, p_ate timestamptz,
                          p_busca text, p_id text, p_antes_em timestamptz, p_antes_id text, p_limite bigint)
    RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off AS $$
DECLARE
    consulta tsquery := leads_consulta(p_busca);
    fim text := ' ORDER BY l.criado_em DESC, l.leadgen_id DESC' || coalesce(' LIMIT ' || p_limite, '');
    filtro text := ' WHERE true';
    raros boolean;
BEGIN
    IF p_pagina IS NOT NULL THEN
        filtro := filtro || format(' AND l.pagina_id = %L', p_pagina);
    END IF;
    IF p_formulario IS NOT NULL THEN
        filtro := filtro || format(' AND l.formulario_id = %L', p_formulario);
    END IF;
    IF p_estado IS NOT NULL THEN
        filtro := filtro || format(' AND l.estado = %L', p_estado);
    END IF;
    IF p_desde IS NOT NULL THEN
        filtro := filtro || format(' AND l.criado_em >= %L', p_desde);
    END IF;
    IF p_ate IS NOT NULL THEN
        filtro := filtro || format(' AND l.criado_em < %L', p_ate);
    END IF;
    IF p_antes_id IS NOT NULL THEN
        filtro := filtro || format(' AND (l.criado_em, l.leadgen_id) < (%L, %L)', p_antes_em, p_antes_id);
    END IF;
    IF coalesce(p_id, p_busca) IS NULL THEN
        RETURN 'SELECT l.* FROM leads l' || filtro || fim;
    ELSIF p_id IS NOT NULL OR consulta IS NULL THEN
        RETURN format('SELECT l.* FROM leads l %s AND l.leadgen_id = %L', filtro, coalesce(p_id, p_busca)) || fim;
    END IF;
    EXECUTE format('SELECT count(*) <= 5000 FROM (SELECT FROM leads WHERE busca @@ %L::tsquery LIMIT 5001) t', consulta)
       INTO raros;
    RETURN 'SELECT l.* FROM ((SELECT l.* FROM '
        || format(CASE WHEN raros THEN '(SELECT * FROM leads WHERE busca @@ %1$L::tsquery OFFSET 0) l' || filtro
                       ELSE 'leads l' || filtro || ' AND l.busca @@ %1$L::tsquery' END || fim, consulta)
        || format(') UNION ALL SELECT l.* FROM leads l %s AND l.leadgen_id = %L AND (l.busca @@ %L::tsquery) IS NOT TRUE) l',
                  filtro, p_busca, consulta) || fim;
END $$;
COMMENT ON FUNCTION leads_sql(text, text, text, timestamptz, timestamptz, text, text, timestamptz, text, bigint) IS
    'What leads_pagina runs: a function of its own, so that its plan can be looked at';

CREATE FUNCTION leads_pagina(p_pagina text, p_formulario text, p_estado text, p_desde timestamptz, p_ate timestamptz,
                             p_busca text, p_id text, p_antes_em timestamptz, p_antes_id text, p_limite bigint)
    RETURNS SETOF leads LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY EXECUTE leads_sql(p_pagina, p_formulario, p_estado, p_desde, p_ate, p_busca, p_id, p_antes_em,
                                   p_antes_id, p_limite);
END $$;
COMMENT ON FUNCTION leads_pagina(text, text, text, timestamptz, timestamptz, text, text, timestamptz, text, bigint) IS
    'GET /api/leads and /api/leads.csv';

-- About how many leads the filters have, as the planner sees it: no lead is read.
CREATE FUNCTION leads_estimar(p_pagina text, p_formulario text, p_estado text, p_desde timestamptz, p_ate timestamptz,
                              p_busca text, p_id text) RETURNS bigint
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    plano json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || leads_sql(p_pagina, p_formulario, p_estado, p_desde, p_ate, p_busca, p_id,
                                                  NULL, NULL, NULL) INTO plano;
    RETURN (plano -> 0 -> 'Plan' ->> 'Plan Rows')::numeric::bigint;
END $$;
COMMENT ON FUNCTION leads_estimar(text, text, text, timestamptz, timestamptz, text, text) IS
    'X-Total-Estimado of /api/leads.csv';

-- ---- deliveries by what they brought ----

-- Did the delivery bring a lead of the form first? By its events: leads have no index of deliveries.
CREATE FUNCTION entregas_de_formulario(p_entrega bigint, p_formulario text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM (SELECT chave FROM eventos WHERE entrega_id = p_entrega AND starts_with(chave, 'leadgen:') OFFSET 0) v
          JOIN LATERAL (SELECT formulario_id, entrega_id FROM leads WHERE leadgen_id = substr(v.chave, 9) OFFSET 0) l ON true
         WHERE l.formulario_id = p_formulario AND l.entrega_id = p_entrega);
END $$;
COMMENT ON FUNCTION entregas_de_formulario(bigint, text) IS 'For those that entregas_procurar looks at one by one';

-- A page of deliveries by what no index of theirs has: the id of the request, the form of a lead that they brought
-- first, a field of an event (p_valor at p_caminho, as eventos_buscar). Rows are in the order `ordem`; the last one,
-- without an id, says that there may be more behind (ate_em, ate_id), which are the next call's p_antes_*: also when
-- none was found, since one call looks at a bounded number.
--   By a value: the deliveries of the p_limite next events that have it, each where its newest one is. The place is
-- that of the event.
--   By a form with few leads (5,000): those leads' deliveries. Else: the next 20,000 deliveries (by form 5,000), one by
-- one, newest first. The place is that of the delivery.
CREATE FUNCTION entregas_procurar(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text,
                                  p_formulario text, p_request_id text, p_caminho text[], p_valor text,
                                  p_antes_em timestamptz, p_antes_id bigint, p_limite bigint)
    RETURNS TABLE (ordem bigint, id bigint, ate_em timestamptz, ate_id bigint)
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
#variable_conflict use_column
DECLARE
    caminho jsonpath;
    janela bigint := CASE WHEN p_formulario IS NULL THEN 20000 ELSE 5000 END;
    candidatas bigint[];
    vistas bigint := 0;
    r record;
BEGIN
    ordem := 0;
    IF p_valor IS NOT NULL THEN
        caminho := eventos_caminho(p_caminho);
        FOR r IN SELECT b.criado_em, b.id AS evento, b.entrega_id, e.estado, e.motivo, e.recebida_em, e.request_id
                   FROM eventos_buscar(p_caminho, p_valor, p_desde - interval '1 day', NULL, p_antes_em, p_antes_id, p_limite) b
                   LEFT JOIN LATERAL (SELECT * FROM entregas WHERE id = b.entrega_id OFFSET 0) e ON true
                  ORDER BY b.criado_em DESC, b.id DESC LOOP
            vistas := vistas + 1;
            id := r.entrega_id;
            ate_em := r.criado_em;
            ate_id := r.evento;
            CONTINUE WHEN r.estado IS NULL OR r.estado <> coalesce(p_estado, r.estado) OR r.recebida_em < p_desde
                OR r.recebida_em >= p_ate OR left(r.motivo, 200) IS DISTINCT FROM left(coalesce(p_motivo, r.motivo), 200)
                OR (p_request_id IS NOT NULL AND r.request_id IS DISTINCT FROM p_request_id)
                OR (p_formulario IS NOT NULL AND NOT entregas_de_formulario(r.entrega_id, p_formulario))
                OR EXISTS (SELECT FROM (SELECT criado_em, id, conteudo FROM eventos WHERE entrega_id = r.entrega_id OFFSET 0) v
                            WHERE (v.criado_em, v.id) > (r.criado_em, r.evento)
                              AND eventos_contem(v.conteudo, caminho, p_valor));
            ordem := ordem + 1;
            RETURN NEXT;
        END LOOP;
        janela := p_limite;
    ELSE
        IF p_formulario IS NOT NULL THEN
            SELECT array_agg(t.entrega_id) INTO candidatas
              FROM (SELECT entrega_id FROM leads WHERE formulario_id = p_formulario LIMIT 5001) t;
        END IF;
        IF p_formulario IS NOT NULL AND coalesce(cardinality(candidatas), 0) <= 5000 THEN
            janela := p_limite;
            FOR r IN SELECT e.id, e.recebida_em
                       FROM (SELECT DISTINCT c FROM unnest(candidatas) c) u
                       JOIN LATERAL (SELECT * FROM entregas WHERE id = u.c OFFSET 0) e ON true
                      WHERE (p_estado IS NULL OR e.estado = p_estado) AND (p_desde IS NULL OR e.recebida_em >= p_desde)
                        AND (p_ate IS NULL OR e.recebida_em < p_ate)
                        AND (p_motivo IS NULL OR left(e.motivo, 200) = left(p_motivo, 200))
                        AND (p_request_id IS NULL OR e.request_id = p_request_id)
                        AND (p_antes_id IS NULL OR (e.recebida_em, e.id) < (p_antes_em, p_antes_id))
                      ORDER BY e.recebida_em DESC, e.id DESC LIMIT p_limite LOOP
                vistas := vistas + 1;
                ordem := vistas;
                id := r.id;
                ate_em := r.recebida_em;
                ate_id := r.id;
                RETURN NEXT;
            END LOOP;
        ELSE
            FOR r IN EXECUTE format('SELECT id, recebida_em, request_id FROM entregas_pagina(%L, %L, %L, %L, %L, %L, %s)',
                                    p_estado, p_desde, p_ate, p_motivo, p_antes_em, p_antes_id, janela) LOOP
                vistas := vistas + 1;
                ate_em := r.recebida_em;
                ate_id := r.id;
                CONTINUE WHEN (p_request_id IS NOT NULL AND r.request_id IS DISTINCT FROM p_request_id)
                    OR (p_formulario IS NOT NULL AND NOT entregas_de_formulario(r.id, p_formulario));
                id := r.id;
                ordem := ordem + 1;
                RETURN NEXT;
                EXIT WHEN ordem = p_limite;
            END LOOP;
        END IF;
    END IF;
    IF vistas = janela OR ordem = p_limite THEN
        ordem := ordem + 1;
        id := NULL;
        RETURN NEXT;
    END IF;
END $$;
COMMENT ON FUNCTION entregas_procurar(text, timestamptz, timestamptz, text, text, text, text[], text, timestamptz, bigint,
                                      bigint) IS 'GET /api/entregas with request_id, formulario or valor';
