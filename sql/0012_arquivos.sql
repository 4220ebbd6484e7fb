-- Files of operators. The bytes lie elsewhere (STORAGE_DIR), under the id; here is what they are, and how much all of
-- them take, kept in one row that every change updates, so that the quota is exact however many come at once.
--
-- arquivos_restos holds what lies there without being a file: it is announced before the bytes get their name and
-- taken back in the transaction that makes the file one, and it gets what a removal leaves behind. So whoever dies in
-- between leaves a row by which the bytes are found, without a listing of the store, and nothing is ever removed that
-- this database does not know.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE arquivos (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    nome text NOT NULL CHECK (nome <> ''),
    tipo text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    criado_em timestamptz NOT NULL DEFAULT now(),
    criado_por text NOT NULL,
    conta_id bigint NOT NULL
);
CREATE INDEX arquivos_ordem ON arquivos (criado_em, id);

COMMENT ON TABLE arquivos IS 'Files whose bytes are stored whole';
COMMENT ON COLUMN arquivos.id IS '128 random bits; the name of the bytes where they lie';
COMMENT ON COLUMN arquivos.nome IS 'As the client called it: shown, never a path';
COMMENT ON COLUMN arquivos.tipo IS 'By its content';
COMMENT ON COLUMN arquivos.criado_por IS 'The name of the account then';
COMMENT ON COLUMN arquivos.conta_id IS 'The account, which may be gone since';

CREATE TABLE arquivos_uso (
    unica boolean PRIMARY KEY DEFAULT true CHECK (unica),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    quantos bigint NOT NULL CHECK (quantos >= 0)
);
INSERT INTO arquivos_uso (bytes, quantos) VALUES (0, 0);
COMMENT ON TABLE arquivos_uso IS 'One row: what all files take';

CREATE TABLE arquivos_restos (
    id text COLLATE "C" PRIMARY KEY,
    desde timestamptz NOT NULL DEFAULT now(),
    apagar boolean NOT NULL
);
CREATE INDEX arquivos_restos_desde ON arquivos_restos (desde);
COMMENT ON TABLE arquivos_restos IS 'Bytes that may lie in the store without being a file';
COMMENT ON COLUMN arquivos_restos.apagar IS 'Being removed: it never becomes a file any more';

-- situacao: ok, ator (the token counts no more), cheio (the quota), tarde (it was swept away meanwhile), ausente
CREATE FUNCTION arquivo_anunciar(p_ator bigint, p_geracao bigint, p_id text, p_bytes bigint, p_limite bigint)
    RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT usuario_ator_vale(p_ator, p_geracao) THEN
        RETURN 'ator';
    ELSIF (SELECT bytes FROM arquivos_uso) + p_bytes > p_limite THEN
        RETURN 'cheio';
    END IF;
    INSERT INTO arquivos_restos (id, apagar) VALUES (p_id, false);
    RETURN 'ok';
END $$;
COMMENT ON FUNCTION arquivo_anunciar(bigint, bigint, text, bigint, bigint) IS
    'Before the bytes get their name; the quota is only looked at, so that a full one is told early';

CREATE TYPE arquivo_resposta AS (
    situacao text, id text, nome text, tipo text, bytes bigint, sha256 bytea, criado_em timestamptz, criado_por text
);
COMMENT ON TYPE arquivo_resposta IS 'What arquivo_guardar answers';

CREATE FUNCTION arquivo_guardar(p_ator bigint, p_geracao bigint, p_id text, p_nome text, p_tipo text, p_bytes bigint,
                                p_sha256 bytea, p_limite bigint)
    RETURNS arquivo_resposta LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    r arquivo_resposta;
    quem text;
BEGIN
    SELECT nome INTO quem FROM usuarios WHERE id = p_ator AND ativo AND tokens_desde <= p_geracao;
    IF quem IS NULL THEN
        r.situacao := 'ator';
        RETURN r;
    END IF;
    DELETE FROM arquivos_restos WHERE id = p_id AND NOT apagar;
    IF NOT FOUND THEN
        r.situacao := 'tarde';
        RETURN r;
    END IF;
    UPDATE arquivos_uso SET bytes = bytes + p_bytes, quantos = quantos + 1 WHERE bytes + p_bytes <= p_limite;
    IF NOT FOUND THEN
        INSERT INTO arquivos_restos (id, apagar) VALUES (p_id, true);
        r.situacao := 'cheio';
        RETURN r;
    END IF;
    INSERT INTO arquivos AS a (id, nome, tipo, bytes, sha256, criado_por, conta_id)
        VALUES (p_id, p_nome, p_tipo, p_bytes, p_sha256, quem, p_ator)
        RETURNING 'ok', a.id, a.nome, a.tipo, a.bytes, a.sha256, a.criado_em, a.criado_por INTO r;
    RETURN r;
END $$;
COMMENT ON FUNCTION arquivo_guardar(bigint, bigint, text, text, text, bigint, bytea, bigint) IS
    'POST /api/arquivos, once the bytes are safe: the file and the quota in one';

CREATE FUNCTION arquivo_remover(p_ator bigint, p_geracao bigint, p_id text)
    RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    quanto bigint;
BEGIN
    IF NOT usuario_ator_vale(p_ator, p_geracao) THEN
        RETURN 'ator';
    END IF;
    DELETE FROM arquivos WHERE id = p_id RETURNING bytes INTO quanto;
    IF quanto IS NULL THEN
        RETURN 'ausente';
    END IF;
    UPDATE arquivos_uso SET bytes = bytes - quanto, quantos = quantos - 1;
    INSERT INTO arquivos_restos (id, apagar) VALUES (p_id, true);
    RETURN 'ok';
END $$;
COMMENT ON FUNCTION arquivo_remover(bigint, bigint, text) IS 'DELETE /api/arquivos/{id}; its bytes go afterwards';

CREATE FUNCTION arquivos_restos_tomar(p_quantos bigint) RETURNS SETOF text
    LANGUAGE sql SET search_path FROM CURRENT AS $$
    UPDATE arquivos_restos SET apagar = true, desde = now()
     WHERE id IN (SELECT id FROM arquivos_restos
                   WHERE desde < now() - CASE WHEN apagar THEN interval '1 minute' ELSE interval '1 hour' END
                   ORDER BY desde LIMIT p_quantos FOR UPDATE SKIP LOCKED)
    RETURNING id
$$;
COMMENT ON FUNCTION arquivos_restos_tomar(bigint) IS
    'What is to be removed now; asked for again after a minute by whoever comes, if it is still there';
