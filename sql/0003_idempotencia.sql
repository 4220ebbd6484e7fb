-- Idempotency-Key of POST /api/posts: a key is remembered for 24 hours with what it made.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE idempotencia (
    chave text COLLATE "C" PRIMARY KEY,
    resumo bytea NOT NULL,
    post_id bigint,
    criada_em timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotencia_criada_em ON idempotencia (criada_em);

COMMENT ON TABLE idempotencia IS 'Keys of the last 24 hours; an older one counts as never seen';
COMMENT ON COLUMN idempotencia.chave IS 'The Idempotency-Key as it came';
COMMENT ON COLUMN idempotencia.resumo IS 'SHA-256 of what the request means: the same key with another meaning is refused';
COMMENT ON COLUMN idempotencia.post_id IS
    'The post that it made. No foreign key: the post may be gone. NULL after TRUNCATE of posts, when ids may begin anew';
COMMENT ON INDEX idempotencia_criada_em IS 'For idempotencia_limpar';

-- situacao: criado      the post was made now
--           repetido    this key made it before: the post as it is now
--           divergente  this key was used with another resumo; no post columns
--           removido    the post that it made is gone; no post columns
-- Two sessions with one key: the second waits for the first at the primary key, then reads what it did.
-- The conflicting row is locked even when it is not expired, so the SELECT finds it.
CREATE FUNCTION criar_post_idempotente(p_chave text, p_resumo bytea, p_titulo text, p_conteudo text, p_autor text)
    RETURNS TABLE (situacao text, id bigint, titulo text, conteudo text, autor text, data_criacao timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    anterior idempotencia;
    novo bigint := nextval('posts_id_seq');
BEGIN
    INSERT INTO idempotencia AS k (chave, resumo, post_id) VALUES (p_chave, p_resumo, novo)
        ON CONFLICT (chave) DO UPDATE
        SET resumo = excluded.resumo, post_id = excluded.post_id, criada_em = excluded.criada_em
        WHERE k.criada_em <= now() - interval '24 hours';
    IF FOUND THEN
        RETURN QUERY INSERT INTO posts AS p (id, titulo, conteudo, autor)
            VALUES (novo, p_titulo, p_conteudo, coalesce(p_autor, 'Anônimo'))
            RETURNING 'criado'::text, p.id, p.titulo, p.conteudo, p.autor, p.data_criacao;
        RETURN;
    END IF;

    SELECT * INTO STRICT anterior FROM idempotencia k WHERE k.chave = p_chave;
    IF anterior.resumo <> p_resumo THEN
        RETURN QUERY SELECT 'divergente'::text, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::timestamptz;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'repetido'::text, p.id, p.titulo, p.conteudo, p.autor, p.data_criacao
        FROM posts p WHERE p.id = anterior.post_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'removido'::text, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::timestamptz;
    END IF;
END $$;
COMMENT ON FUNCTION criar_post_idempotente(text, bytea, text, text, text) IS
    'POST /api/posts with an Idempotency-Key; p_autor NULL means Anônimo. One call a transaction: two with '
    'keys in another order could wait for each other';

CREATE FUNCTION idempotencia_limpar(quantos int) RETURNS int
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    feitos int;
BEGIN
    DELETE FROM idempotencia WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotencia WHERE criada_em <= now() - interval '24 hours'
         ORDER BY criada_em LIMIT quantos FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS feitos = ROW_COUNT;
    RETURN feitos;
END $$;
COMMENT ON FUNCTION idempotencia_limpar(int) IS
    'Deletes at most so many expired keys, answers how many; the worker calls it now and then until it answers less';

-- After TRUNCATE ... RESTART IDENTITY ids begin anew: a remembered id would mean another post. Rows that
-- are locked are being renewed or removed; to wait for them could be a deadlock.
CREATE FUNCTION idempotencia_desligar() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE idempotencia SET post_id = NULL WHERE chave IN (
        SELECT chave FROM idempotencia WHERE post_id IS NOT NULL FOR UPDATE SKIP LOCKED);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION idempotencia_desligar() IS 'Forgets the posts of all keys after TRUNCATE of posts';

CREATE TRIGGER posts_truncados_idempotencia AFTER TRUNCATE ON posts
    FOR EACH STATEMENT EXECUTE FUNCTION idempotencia_desligar();
