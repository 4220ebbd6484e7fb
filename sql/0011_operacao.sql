-- What operators do: the audit log, the history of a delivery, sending again (one, or all that a filter finds, as a
-- job), pause and resume.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- ---- the audit log ----

-- Written by auditar alone, in the transaction of what it tells of wherever PostgreSQL does that. It never holds a
-- password, a token or what a payload says of a person.
CREATE TABLE auditoria (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    em timestamptz NOT NULL DEFAULT now(),
    ator_id bigint,
    ator text COLLATE "C",
    papel text,
    acao text COLLATE "C" NOT NULL CHECK (acao ~ '^[a-z_]+$'),
    alvo text,
    detalhe jsonb,
    request_id text,
    endereco text
);
CREATE INDEX auditoria_recentes ON auditoria (em, id);
CREATE INDEX auditoria_ator_id ON auditoria (ator_id, em, id) WHERE ator_id IS NOT NULL;
CREATE INDEX auditoria_ator ON auditoria (lower(ator), em, id);
CREATE INDEX auditoria_acao ON auditoria (acao, em, id);

COMMENT ON TABLE auditoria IS 'Who did what, when and from where; rows are added, never changed, and go with retention alone';
COMMENT ON COLUMN auditoria.ator_id IS 'usuarios.id, also of an account that is gone; NULL: the command line of the worker';
COMMENT ON COLUMN auditoria.ator IS 'Address of the account at that moment, or "linha de comando"';
COMMENT ON COLUMN auditoria.papel IS 'Role of the account at that moment';
COMMENT ON COLUMN auditoria.acao IS 'lib/store_auditoria.h has the list';
COMMENT ON COLUMN auditoria.alvo IS 'What it was done to: usuario:5, post:4, entrega:17, reenvio:3';
COMMENT ON COLUMN auditoria.endereco IS 'Address of the client';

CREATE FUNCTION auditoria_recusar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('alicerce.auditoria_retencao', true) = 'sim' THEN
        IF OLD.em < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'auditoria only grows: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION auditoria_recusar() IS 'No row is changed, and none younger than 30 days goes, by whatever way';
CREATE TRIGGER auditoria_linhas BEFORE UPDATE OR DELETE ON auditoria
    FOR EACH ROW EXECUTE FUNCTION auditoria_recusar();
CREATE TRIGGER auditoria_truncada BEFORE TRUNCATE ON auditoria
    FOR EACH STATEMENT EXECUTE FUNCTION auditoria_recusar();

CREATE FUNCTION auditoria_expirar(p_dias int, p_quantas int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n int;
BEGIN
    IF p_dias <= 0 THEN
        RETURN 0;
    END IF;
    PERFORM set_config('alicerce.auditoria_retencao', 'sim', true);
    DELETE FROM auditoria WHERE id = ANY (ARRAY(
        SELECT id FROM auditoria WHERE em < now() - make_interval(days => greatest(p_dias, 31))
         ORDER BY em, id LIMIT p_quantas FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('alicerce.auditoria_retencao', '', true);
    RETURN n;
END $$;
COMMENT ON FUNCTION auditoria_expirar(int, int) IS
    'Retention: at most p_quantas rows older than p_dias days (31 at least; 0: none); the worker calls it until it answers 0';

CREATE TYPE auditoria_autor AS (ator_id bigint, ator text, papel text, request_id text, endereco text);
COMMENT ON TYPE auditoria_autor IS 'Who acts, and by which request';

-- STABLE: it sees the account as it was when the calling statement began, also when that changes or removes it.
CREATE FUNCTION auditoria_quem(p_ator bigint, p_request_id text, p_endereco text) RETURNS auditoria_autor
    LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT ROW(p_ator, CASE WHEN p_ator IS NULL THEN 'linha de comando' ELSE u.email END, u.papel, p_request_id,
               p_endereco)::auditoria_autor
      FROM (VALUES (1)) AS um LEFT JOIN usuarios u ON u.id = p_ator
$$;
COMMENT ON FUNCTION auditoria_quem(bigint, text, text) IS 'p_ator NULL: the command line';

CREATE FUNCTION auditar(p_quem auditoria_autor, p_acao text, p_alvo text, p_detalhe jsonb) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    INSERT INTO auditoria (ator_id, ator, papel, acao, alvo, detalhe, request_id, endereco)
    VALUES ((p_quem).ator_id, (p_quem).ator, (p_quem).papel, p_acao, p_alvo, p_detalhe, (p_quem).request_id,
            (p_quem).endereco)
    RETURNING id
$$;
COMMENT ON FUNCTION auditar(auditoria_autor, text, text, jsonb) IS 'One row of the log';

-- Newest first; like entregas_pagina it is for an unprepared statement, which plans it with its values.
CREATE FUNCTION auditoria_pagina(p_ator_id bigint, p_ator text, p_acao text, p_desde timestamptz, p_ate timestamptz,
                                 p_antes_em timestamptz, p_antes_id bigint, p_limite bigint)
    RETURNS SETOF auditoria LANGUAGE sql STABLE AS $$
    SELECT a.*
      FROM auditoria a
     WHERE ($1 IS NULL OR a.ator_id = $1)
       AND ($2 IS NULL OR lower(a.ator) = lower($2 COLLATE "C"))
       AND ($3 IS NULL OR a.acao = $3)
       AND ($4 IS NULL OR a.em >= $4)
       AND ($5 IS NULL OR a.em < $5)
       AND ($7 IS NULL OR (a.em, a.id) < ($6, $7))
     ORDER BY a.em DESC, a.id DESC LIMIT $8
$$;
COMMENT ON FUNCTION auditoria_pagina(bigint, text, text, timestamptz, timestamptz, timestamptz, bigint, bigint) IS
    'GET /api/auditoria';

-- ---- the history of a delivery ----

-- Only what went wrong and what people did: a delivery that is stored at once has no row here.
CREATE TABLE entregas_historico (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entrega_id bigint NOT NULL,
    em timestamptz NOT NULL DEFAULT now(),
    acao text NOT NULL CHECK (acao IN ('tentativa', 'reenvio', 'teste')),
    resultado text NOT NULL CHECK (resultado IN ('erro', 'morta', 'processada', 'pendente')),
    motivo text,
    por text
);
CREATE INDEX entregas_historico_entrega ON entregas_historico (entrega_id, id);

COMMENT ON TABLE entregas_historico IS 'Attempts that failed, dead letters, and whoever sent a delivery again and what became of it';
COMMENT ON COLUMN entregas_historico.por IS 'Who; NULL for an attempt of the worker';

ALTER TABLE entregas ADD COLUMN reenvio_id bigint;
CREATE INDEX entregas_reenvio ON entregas (reenvio_id) WHERE reenvio_id > 0 AND estado = 'pendente';

COMMENT ON COLUMN entregas.reenvio_id IS 'The job that sent it again last; 0: somebody did, by hand; NULL: nobody';
COMMENT ON INDEX entregas_reenvio IS 'What a job has marked and nobody has finished';

-- It goes with its delivery, whoever deletes that.
CREATE FUNCTION entregas_historico_esquecer() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE entregas_historico;
    ELSE
        DELETE FROM entregas_historico h USING apagadas a WHERE h.entrega_id = a.id;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION entregas_historico_esquecer() IS 'After DELETE and TRUNCATE of entregas';
CREATE TRIGGER entregas_apagadas AFTER DELETE ON entregas REFERENCING OLD TABLE AS apagadas
    FOR EACH STATEMENT EXECUTE FUNCTION entregas_historico_esquecer();
CREATE TRIGGER entregas_historico_truncadas AFTER TRUNCATE ON entregas
    FOR EACH STATEMENT EXECUTE FUNCTION entregas_historico_esquecer();

-- ---- sending one again ----

-- situacao: ok         marked; the row as it is now
--           ator       who asks has no valid token for it any more
--           ausente    there is no such delivery
--           pendente   it is waiting already, or in somebody's hand
CREATE FUNCTION entrega_reenviar(p_quem auditoria_autor, p_geracao bigint, p_id bigint)
    RETURNS TABLE (situacao text, entrega entregas)
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    antes entregas;
BEGIN
    IF NOT usuario_ator_vale((p_quem).ator_id, p_geracao) THEN
        RETURN QUERY SELECT 'ator', NULL::entregas;
        RETURN;
    END IF;
    SELECT * INTO antes FROM entregas WHERE id = p_id FOR UPDATE SKIP LOCKED;
    IF antes.id IS NULL THEN
        RETURN QUERY SELECT CASE WHEN EXISTS (SELECT 1 FROM entregas WHERE id = p_id) THEN 'pendente' ELSE 'ausente' END,
                            NULL::entregas;
        RETURN;
    ELSIF antes.estado = 'pendente' THEN
        RETURN QUERY SELECT 'pendente', NULL::entregas;
        RETURN;
    END IF;
    UPDATE entregas SET estado = 'pendente', tentativas = 0, motivo = NULL, proxima_em = now(), reenvio_id = 0
     WHERE id = p_id;
    INSERT INTO entregas_historico (entrega_id, acao, resultado, por) VALUES (p_id, 'reenvio', 'pendente', (p_quem).ator);
    PERFORM auditar(p_quem, 'entrega_reenviada', 'entrega:' || p_id, jsonb_build_object('estado', antes.estado));
    RETURN QUERY SELECT 'ok', e FROM entregas e WHERE e.id = p_id;
END $$;
COMMENT ON FUNCTION entrega_reenviar(auditoria_autor, bigint, bigint) IS 'POST /api/entregas/{id}/reenviar';

-- Locked in the order of their ids: two operators with the same ones never wait in a circle.
CREATE FUNCTION entregas_reenviar_ids(p_ids bigint[])
    RETURNS TABLE (id bigint, recebida_em timestamptz, estado text)
    LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    WITH pedidas AS (SELECT DISTINCT unnest(p_ids) AS id),
    achadas AS MATERIALIZED (
        SELECT e.id, e.recebida_em, e.estado FROM entregas e WHERE e.id = ANY (p_ids) ORDER BY e.id FOR UPDATE),
    marcadas AS (
        UPDATE entregas e SET estado = 'pendente', tentativas = 0, motivo = NULL, proxima_em = now(), reenvio_id = 0
          FROM achadas a WHERE e.id = a.id AND a.estado <> 'pendente' RETURNING e.id),
    anotadas AS (
        INSERT INTO entregas_historico (entrega_id, acao, resultado, por)
        SELECT m.id, 'reenvio', 'pendente', 'linha de comando' FROM marcadas m),
    auditadas AS (
        INSERT INTO auditoria (ator, acao, alvo, detalhe)
        SELECT 'linha de comando', 'entregas_reenviadas', CASE WHEN n = 1 THEN 'entrega:' || id END,
               jsonb_build_object('quantas', n)
          FROM (SELECT count(*) AS n, min(m.id) AS id FROM marcadas m) c WHERE n > 0)
    SELECT p.id, coalesce(a.recebida_em, now()), a.estado FROM pedidas p LEFT JOIN achadas a USING (id) ORDER BY p.id
$$;
COMMENT ON FUNCTION entregas_reenviar_ids(bigint[]) IS 'fila reenviar ID…; estado: as it was, NULL for one that is not there';

-- ---- sending again what a filter finds ----

CREATE FUNCTION entregas_condicao(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text, p_formulario text)
    RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT format('e.estado = %L', p_estado)
           || CASE WHEN p_desde IS NULL THEN '' ELSE format(' AND e.recebida_em >= %L', p_desde) END
           || CASE WHEN p_ate IS NULL THEN '' ELSE format(' AND e.recebida_em < %L', p_ate) END
           || CASE WHEN p_motivo IS NULL THEN '' ELSE format(' AND left(e.motivo, 200) = left(%L, 200)', p_motivo) END
           || CASE WHEN p_formulario IS NULL THEN '' ELSE
                   format(' AND e.id IN (SELECT l.entrega_id FROM leads l WHERE l.formulario_id = %L)', p_formulario) END
$$;
COMMENT ON FUNCTION entregas_condicao(text, timestamptz, timestamptz, text, text) IS
    'The filter as SQL; p_formulario: deliveries that brought a lead of this form first';

-- One step, oldest first: the next p_limite deliveries of the filter behind (p_depois_em, p_depois_id) become
-- 'pendente', due at once. The worker does the rest and adds only what is new.
CREATE FUNCTION entregas_marcar(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text, p_formulario text,
                                p_depois_em timestamptz, p_depois_id bigint, p_limite bigint, p_reenvio bigint, p_por text)
    RETURNS TABLE (id bigint, recebida_em timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'WITH achadas AS MATERIALIZED (SELECT e.id FROM entregas e WHERE %s%s'
        ' ORDER BY e.recebida_em, e.id LIMIT %s FOR UPDATE SKIP LOCKED),'
        ' marcadas AS (UPDATE entregas e SET estado = ''pendente'', tentativas = 0, motivo = NULL, proxima_em = now(),'
        ' reenvio_id = %s FROM achadas a WHERE e.id = a.id RETURNING e.id, e.recebida_em),'
        ' anotadas AS (INSERT INTO entregas_historico (entrega_id, acao, resultado, por)'
        ' SELECT m.id, ''reenvio'', ''pendente'', %L FROM marcadas m)'
        ' SELECT id, recebida_em FROM marcadas',
        entregas_condicao(p_estado, p_desde, p_ate, p_motivo, p_formulario),
        CASE WHEN p_depois_id IS NULL THEN ''
             ELSE format(' AND (e.recebida_em, e.id) > (%L, %s)', p_depois_em, p_depois_id) END,
        p_limite, p_reenvio, p_por);
END $$;
COMMENT ON FUNCTION entregas_marcar(text, timestamptz, timestamptz, text, text, timestamptz, bigint, bigint, bigint, text) IS
    'A step of a job or of fila reenviar; it ends when it answers fewer than p_limite';

CREATE OR REPLACE FUNCTION entregas_reenviar(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text,
                                             p_formulario text, p_depois_em timestamptz, p_depois_id bigint,
                                             p_limite bigint)
    RETURNS TABLE (id bigint, recebida_em timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    n bigint;
BEGIN
    RETURN QUERY SELECT m.id, m.recebida_em
        FROM entregas_marcar(p_estado, p_desde, p_ate, p_motivo, p_formulario, p_depois_em, p_depois_id, p_limite, 0,
                             'linha de comando') m;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM auditar(auditoria_quem(NULL, NULL, NULL), 'entregas_reenviadas', NULL,
                        jsonb_strip_nulls(jsonb_build_object('quantas', n, 'estado', p_estado, 'desde', p_desde, 'ate', p_ate,
                                                             'motivo', left(p_motivo, 200), 'formulario', p_formulario)));
    END IF;
END $$;

CREATE FUNCTION entregas_contar(p_estado text, p_desde timestamptz, p_ate timestamptz, p_motivo text, p_formulario text,
                                p_limite bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET jit = off AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT FROM entregas e WHERE %s LIMIT %s) t',
                   entregas_condicao(p_estado, p_desde, p_ate, p_motivo, p_formulario), p_limite) INTO n;
    RETURN n;
END $$;
COMMENT ON FUNCTION entregas_contar(text, timestamptz, timestamptz, text, text, bigint) IS
    'How many the filter finds, counted up to p_limite';

-- ---- jobs ----

-- A job is its row. A step marks some deliveries and moves the job's place in one transaction, under the row's lock:
-- whoever dies in it leaves nothing half done. What becomes of a delivery is counted by the transaction that finishes
-- it, as a row of reenvios_parcelas, so that workers which finish deliveries of one job do not wait for each other;
-- steps add these up into the job.
CREATE TABLE reenvios (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    estado text NOT NULL DEFAULT 'em_andamento' CHECK (estado IN ('em_andamento', 'concluido', 'cancelado', 'falhou')),
    filtro_estado text NOT NULL CHECK (filtro_estado IN ('morta', 'processada')),
    filtro_motivo text,
    filtro_formulario text,
    filtro_desde timestamptz,
    filtro_ate timestamptz,
    maximo bigint NOT NULL CHECK (maximo BETWEEN 1 AND 100000),
    marcadas bigint NOT NULL DEFAULT 0,
    processadas bigint NOT NULL DEFAULT 0,
    mortas bigint NOT NULL DEFAULT 0,
    sumidas bigint NOT NULL DEFAULT 0,
    esgotado boolean NOT NULL DEFAULT false,
    lugar_em timestamptz,
    lugar_id bigint,
    criado_em timestamptz NOT NULL DEFAULT now(),
    criado_por text NOT NULL,
    terminado_em timestamptz,
    proximo_em timestamptz NOT NULL DEFAULT now(),
    falhas int NOT NULL DEFAULT 0,
    erro text
);
CREATE INDEX reenvios_a_fazer ON reenvios (proximo_em, id) WHERE estado = 'em_andamento';

COMMENT ON TABLE reenvios IS 'Jobs that send again what a filter finds; the workers do them in steps';
COMMENT ON COLUMN reenvios.sumidas IS 'Marked ones that were deleted before the worker came to them';
COMMENT ON COLUMN reenvios.esgotado IS 'Nothing is left to be marked; what is marked may still have to be worked on';
COMMENT ON COLUMN reenvios.lugar_id IS 'With lugar_em the last delivery that was marked';
COMMENT ON COLUMN reenvios.proximo_em IS 'While em_andamento: no step before';
COMMENT ON COLUMN reenvios.falhas IS 'Steps that failed in a row; after 5 it is falhou';
COMMENT ON COLUMN reenvios.erro IS 'Why a step failed last; NULL once one succeeded';

CREATE TABLE reenvios_parcelas (
    reenvio_id bigint NOT NULL,
    processadas bigint NOT NULL,
    mortas bigint NOT NULL
);
CREATE INDEX reenvios_parcelas_reenvio ON reenvios_parcelas (reenvio_id);

COMMENT ON TABLE reenvios_parcelas IS 'What workers finished for a job and its row does not count yet';

CREATE TYPE reenvio_resposta AS (
    situacao text, id bigint, estado text, filtro_estado text, filtro_motivo text, filtro_formulario text,
    filtro_desde timestamptz, filtro_ate timestamptz, maximo bigint, marcadas bigint, processadas bigint, mortas bigint,
    por_fazer bigint, criado_em timestamptz, criado_por text, terminado_em timestamptz, erro text
);
COMMENT ON TYPE reenvio_resposta IS 'A job with its counts of this moment; situacao: ok, ator, ausente, demais, terminado';

CREATE FUNCTION reenvios_pagina(p_id bigint, p_antes_id bigint, p_limite bigint) RETURNS SETOF reenvio_resposta
    LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    SELECT 'ok', r.id, r.estado, r.filtro_estado, r.filtro_motivo, r.filtro_formulario, r.filtro_desde, r.filtro_ate,
           r.maximo, r.marcadas, r.processadas + p.processadas, r.mortas + p.mortas,
           greatest(r.marcadas - r.processadas - r.mortas - r.sumidas - p.processadas - p.mortas, 0), r.criado_em,
           r.criado_por, r.terminado_em, r.erro
      FROM (SELECT * FROM reenvios WHERE (p_id IS NULL OR id = p_id) AND (p_antes_id IS NULL OR id < p_antes_id)
             ORDER BY id DESC LIMIT p_limite) r
     CROSS JOIN LATERAL (SELECT coalesce(sum(processadas), 0)::bigint AS processadas,
                                coalesce(sum(mortas), 0)::bigint AS mortas
                           FROM reenvios_parcelas WHERE reenvio_id = r.id) p
     ORDER BY r.id DESC
$$;
COMMENT ON FUNCTION reenvios_pagina(bigint, bigint, bigint) IS
    'GET /api/reenvios, newest first, and one of them. Counts are those of one moment';

CREATE FUNCTION reenvio_recusa(p_situacao text) RETURNS reenvio_resposta
    LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    r reenvio_resposta;
BEGIN
    r.situacao := p_situacao;
    RETURN r;
END $$;
COMMENT ON FUNCTION reenvio_recusa(text) IS 'An answer without a job';

CREATE FUNCTION reenvio_criar(p_quem auditoria_autor, p_geracao bigint, p_estado text, p_motivo text, p_formulario text,
                              p_desde timestamptz, p_ate timestamptz, p_maximo bigint) RETURNS SETOF reenvio_resposta
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    novo bigint;
BEGIN
    IF NOT usuario_ator_vale((p_quem).ator_id, p_geracao) THEN
        RETURN NEXT reenvio_recusa('ator');
        RETURN;
    ELSIF (SELECT count(*) >= 20 FROM (SELECT FROM reenvios WHERE estado = 'em_andamento' LIMIT 20) t) THEN
        RETURN NEXT reenvio_recusa('demais');
        RETURN;
    END IF;
    INSERT INTO reenvios (filtro_estado, filtro_motivo, filtro_formulario, filtro_desde, filtro_ate, maximo, criado_por)
        VALUES (p_estado, p_motivo, p_formulario, p_desde, p_ate, p_maximo, (p_quem).ator) RETURNING id INTO novo;
    PERFORM auditar(p_quem, 'reenvio_criado', 'reenvio:' || novo,
                    jsonb_strip_nulls(jsonb_build_object('estado', p_estado, 'motivo', left(p_motivo, 200), 'formulario',
                                                         p_formulario, 'desde', p_desde, 'ate', p_ate, 'maximo', p_maximo)));
    RETURN QUERY SELECT * FROM reenvios_pagina(novo, NULL, 1);
END $$;
COMMENT ON FUNCTION reenvio_criar(auditoria_autor, bigint, text, text, text, timestamptz, timestamptz, bigint) IS
    'POST /api/reenvios';

-- What is marked already is worked on all the same: of a dead letter nobody knows any more why it was one.
CREATE FUNCTION reenvio_cancelar(p_quem auditoria_autor, p_geracao bigint, p_id bigint) RETURNS SETOF reenvio_resposta
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    r reenvios;
BEGIN
    IF NOT usuario_ator_vale((p_quem).ator_id, p_geracao) THEN
        RETURN NEXT reenvio_recusa('ator');
        RETURN;
    END IF;
    SELECT * INTO r FROM reenvios WHERE id = p_id FOR UPDATE;
    IF r.id IS NULL THEN
        RETURN NEXT reenvio_recusa('ausente');
        RETURN;
    ELSIF r.estado IN ('concluido', 'falhou') THEN
        RETURN NEXT reenvio_recusa('terminado');
        RETURN;
    ELSIF r.estado = 'em_andamento' THEN
        UPDATE reenvios SET estado = 'cancelado', terminado_em = now() WHERE id = p_id;
        PERFORM auditar(p_quem, 'reenvio_cancelado', 'reenvio:' || p_id, jsonb_build_object('marcadas', r.marcadas));
    END IF;
    RETURN QUERY SELECT * FROM reenvios_pagina(p_id, NULL, 1);
END $$;
COMMENT ON FUNCTION reenvio_cancelar(auditoria_autor, bigint, bigint) IS 'POST /api/reenvios/{id}/cancelar';

CREATE FUNCTION reenvio_somar(p_id bigint) RETURNS void
    LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    WITH parcelas AS (DELETE FROM reenvios_parcelas WHERE reenvio_id = p_id RETURNING processadas, mortas)
    UPDATE reenvios r SET processadas = r.processadas + s.processadas, mortas = r.mortas + s.mortas
      FROM (SELECT sum(processadas) AS processadas, sum(mortas) AS mortas FROM parcelas) s
     WHERE r.id = p_id AND s.mortas IS NOT NULL
$$;
COMMENT ON FUNCTION reenvio_somar(bigint) IS 'Adds up what workers finished. Under the lock of the job''s row';

-- The work of a step: marks, or looks whether all is done. No more than p_abertas are waiting for the workers at a
-- time: new deliveries do not queue up behind a large job, and to cancel one means something. Nothing that came in
-- after the job was made is marked.
CREATE FUNCTION reenvio_avancar(p_id bigint, p_quantas bigint, p_abertas bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    r reenvios;
    n bigint := 0;
    em timestamptz;
    ultimo bigint;
    a_fazer boolean;
BEGIN
    a_fazer := EXISTS (SELECT 1 FROM entregas WHERE reenvio_id = p_id AND reenvio_id > 0 AND estado = 'pendente');
    PERFORM reenvio_somar(p_id); -- after that look: what it did not see is in here
    SELECT * INTO STRICT r FROM reenvios WHERE id = p_id;
    IF NOT r.esgotado AND r.marcadas - r.processadas - r.mortas < p_abertas THEN
        p_quantas := least(p_quantas, r.maximo - r.marcadas);
        SELECT count(*), max(m.recebida_em), (array_agg(m.id ORDER BY m.recebida_em DESC, m.id DESC))[1]
          INTO n, em, ultimo
          FROM entregas_marcar(r.filtro_estado, r.filtro_desde, least(r.filtro_ate, r.criado_em), r.filtro_motivo,
                               r.filtro_formulario, r.lugar_em, r.lugar_id, p_quantas, p_id, r.criado_por) m;
        UPDATE reenvios SET marcadas = marcadas + n, lugar_em = coalesce(em, lugar_em), lugar_id = coalesce(ultimo, lugar_id),
                            esgotado = n < p_quantas OR marcadas + n >= maximo
         WHERE id = p_id;
    ELSIF r.esgotado AND NOT a_fazer THEN
        UPDATE reenvios SET estado = 'concluido', terminado_em = now(), sumidas = marcadas - processadas - mortas
         WHERE id = p_id;
    END IF;
    UPDATE reenvios SET falhas = 0, erro = NULL,
                        proximo_em = CASE WHEN n > 0 THEN clock_timestamp() ELSE clock_timestamp() + interval '0.3 s' END
     WHERE id = p_id;
    RETURN n;
END $$;
COMMENT ON FUNCTION reenvio_avancar(bigint, bigint, bigint) IS 'Answers how many it marked. Under the lock of the job''s row';

-- One step of the job whose turn it is, or the counts of one that is over; 0: nothing to do just now. Any number of
-- sessions may: a job that one of them has in hand is passed over.
CREATE FUNCTION reenvios_passo(p_quantas bigint, p_abertas bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    r reenvios;
BEGIN
    SELECT * INTO r FROM reenvios WHERE estado = 'em_andamento' AND proximo_em <= now()
     ORDER BY proximo_em, id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF r.id IS NULL THEN
        SELECT * INTO r FROM reenvios WHERE id IN (SELECT reenvio_id FROM reenvios_parcelas LIMIT 100)
           AND estado <> 'em_andamento' LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF r.id IS NULL THEN
            RETURN 0;
        END IF;
        PERFORM reenvio_somar(r.id);
        RETURN 1;
    END IF;
    BEGIN
        RETURN reenvio_avancar(r.id, p_quantas, p_abertas);
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        UPDATE reenvios SET falhas = r.falhas + 1, erro = left(SQLSTATE || ': ' || SQLERRM, 500),
                            estado = CASE WHEN r.falhas >= 4 THEN 'falhou' ELSE estado END,
                            terminado_em = CASE WHEN r.falhas >= 4 THEN now() END,
                            proximo_em = clock_timestamp() + (r.falhas + 1) * interval '1 s'
         WHERE id = r.id;
        RETURN 0;
    END;
END $$;
COMMENT ON FUNCTION reenvios_passo(bigint, bigint) IS 'The worker calls it until it answers 0';

-- ---- pause and resume ----

-- Who paused first stays. situacao: ok, ator.
CREATE FUNCTION fila_pausar(p_quem auditoria_autor, p_geracao bigint, p_por text)
    RETURNS TABLE (situacao text, pausada_em timestamptz, pausada_por text)
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    por text := coalesce(p_por, CASE WHEN (p_quem).ator_id IS NOT NULL THEN (p_quem).ator END);
BEGIN
    IF (p_quem).ator_id IS NOT NULL AND NOT usuario_ator_vale((p_quem).ator_id, p_geracao) THEN
        RETURN QUERY SELECT 'ator', NULL::timestamptz, NULL::text;
        RETURN;
    END IF;
    INSERT INTO fila_controle DEFAULT VALUES ON CONFLICT DO NOTHING;
    UPDATE fila_controle SET pausada_em = now(), pausada_por = left(por, 100) WHERE pausada_em IS NULL;
    IF FOUND THEN
        PERFORM auditar(p_quem, 'fila_pausada', 'fila', jsonb_strip_nulls(jsonb_build_object('por', left(por, 100))));
    END IF;
    RETURN QUERY SELECT 'ok', c.pausada_em, c.pausada_por FROM fila_controle c;
END $$;
COMMENT ON FUNCTION fila_pausar(auditoria_autor, bigint, text) IS 'POST /api/fila/pausar and fila pausar';

CREATE FUNCTION fila_retomar(p_quem auditoria_autor, p_geracao bigint)
    RETURNS TABLE (situacao text, pausada_em timestamptz, pausada_por text)
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    antes fila_controle;
BEGIN
    IF (p_quem).ator_id IS NOT NULL AND NOT usuario_ator_vale((p_quem).ator_id, p_geracao) THEN
        RETURN QUERY SELECT 'ator', NULL::timestamptz, NULL::text;
        RETURN;
    END IF;
    SELECT * INTO antes FROM fila_controle FOR UPDATE;
    UPDATE fila_controle SET pausada_em = NULL, pausada_por = NULL WHERE pausada_em IS NOT NULL;
    IF FOUND THEN
        PERFORM auditar(p_quem, 'fila_retomada', 'fila', jsonb_build_object('pausada_em', antes.pausada_em));
    END IF;
    RETURN QUERY SELECT 'ok', c.pausada_em, c.pausada_por FROM fila_controle c;
END $$;
COMMENT ON FUNCTION fila_retomar(auditoria_autor, bigint) IS 'POST /api/fila/retomar and fila retomar';
