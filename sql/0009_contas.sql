-- Accounts of operators. Changes are rare and each one must leave an administrator, so the functions that change
-- them take turns by a lock of the table; readers never wait for it.
--
-- tokens_desde is a generation, not a time that anybody has to compare clocks with: every change that ends an
-- account's tokens makes it larger (at least the seconds since 1970, plus one), a token carries the one that it
-- was made under (or, without it, its iat), and an older one counts no more.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE usuarios (
    id bigserial PRIMARY KEY,
    nome text NOT NULL CHECK (nome <> ''),
    email text COLLATE "C" NOT NULL,
    papel text COLLATE "C" NOT NULL CHECK (papel IN ('admin', 'operador', 'leitor')),
    senha text NOT NULL CHECK (senha LIKE '$argon2id$%'),
    ativo boolean NOT NULL DEFAULT true,
    tokens_desde bigint NOT NULL DEFAULT 0,
    criado_em timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX usuarios_email ON usuarios (lower(email));

COMMENT ON TABLE usuarios IS 'Who may sign in';
COMMENT ON COLUMN usuarios.nome IS 'Up to 100 characters: the API checks';
COMMENT ON COLUMN usuarios.email IS 'ASCII alone, as it was given; compared without regard to case';
COMMENT ON COLUMN usuarios.papel IS 'What a role may do stands in the API (auth.c), nowhere else';
COMMENT ON COLUMN usuarios.senha IS 'Argon2id, as libsodium writes it';
COMMENT ON COLUMN usuarios.ativo IS 'false: no sign-in, and no token counts';
COMMENT ON COLUMN usuarios.tokens_desde IS 'Tokens made under a smaller number count no more';

-- situacao: ok            done; the row as it is now
--           ator          who asks has no valid token for it any more
--           ausente       no such account
--           repetido      the address belongs to another account
--           ultimo_admin  no active administrator would be left; nothing was changed
CREATE TYPE usuario_resposta AS (
    situacao text, id bigint, nome text, email text, papel text, ativo boolean, tokens_desde bigint, criado_em timestamptz
);
COMMENT ON TYPE usuario_resposta IS 'What the functions below answer; without the hash';

CREATE FUNCTION usuario_situacao(p_situacao text, p usuarios) RETURNS usuario_resposta
    LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT ROW(p_situacao, p.id, p.nome, p.email, p.papel, p.ativo, p.tokens_desde, p.criado_em)::usuario_resposta
$$;
COMMENT ON FUNCTION usuario_situacao(text, usuarios) IS 'A row as an answer';

CREATE FUNCTION usuario_ator_vale(p_ator bigint, p_geracao bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM usuarios WHERE id = p_ator AND ativo AND tokens_desde <= p_geracao)
$$;
COMMENT ON FUNCTION usuario_ator_vale(bigint, bigint) IS
    'Does a token of this account and generation still count? The answer that outlives a lost Redis';

CREATE FUNCTION usuario_nova_geracao(p_antes bigint) RETURNS bigint
    LANGUAGE sql VOLATILE AS $$
    SELECT greatest(floor(extract(epoch FROM clock_timestamp()))::bigint, p_antes) + 1
$$;
COMMENT ON FUNCTION usuario_nova_geracao(bigint) IS 'Larger than the one before, and than the iat of any token so far';

CREATE FUNCTION usuario_primeiro(p_nome text, p_email text, p_senha text) RETURNS bigint
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE usuarios IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT 1 FROM usuarios) THEN
        RETURN 0;
    END IF;
    INSERT INTO usuarios (nome, email, papel, senha) VALUES (p_nome, p_email, 'admin', p_senha);
    RETURN 1;
END $$;
COMMENT ON FUNCTION usuario_primeiro(text, text, text) IS
    'The first account, if there is none yet: 1, else 0. Any number of sessions may call it at once';

CREATE FUNCTION usuario_criar(p_ator bigint, p_geracao bigint, p_nome text, p_email text, p_papel text, p_senha text)
    RETURNS SETOF usuario_resposta
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    novo usuarios;
BEGIN
    LOCK TABLE usuarios IN SHARE ROW EXCLUSIVE MODE;
    IF NOT usuario_ator_vale(p_ator, p_geracao) THEN
        RETURN NEXT usuario_situacao('ator', NULL);
    ELSIF EXISTS (SELECT 1 FROM usuarios WHERE lower(email) = lower(p_email COLLATE "C")) THEN
        RETURN NEXT usuario_situacao('repetido', NULL);
    ELSE
        INSERT INTO usuarios (nome, email, papel, senha) VALUES (p_nome, p_email, p_papel, p_senha)
            RETURNING * INTO novo;
        RETURN NEXT usuario_situacao('ok', novo);
    END IF;
END $$;
COMMENT ON FUNCTION usuario_criar(bigint, bigint, text, text, text, text) IS 'POST /api/usuarios';

-- A change of role, password or activity ends the account's tokens; one of the name does not. NULL leaves as it is.
CREATE FUNCTION usuario_mudar(p_ator bigint, p_geracao bigint, p_id bigint, p_nome text, p_papel text, p_senha text,
                              p_ativo bigint)
    RETURNS SETOF usuario_resposta
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    antes usuarios;
    depois usuarios;
BEGIN
    LOCK TABLE usuarios IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO antes FROM usuarios WHERE id = p_id;
    IF NOT usuario_ator_vale(p_ator, p_geracao) THEN
        RETURN NEXT usuario_situacao('ator', NULL);
        RETURN;
    ELSIF antes.id IS NULL THEN
        RETURN NEXT usuario_situacao('ausente', NULL);
        RETURN;
    END IF;
    depois := antes;
    depois.nome := coalesce(p_nome, antes.nome);
    depois.papel := coalesce(p_papel, antes.papel);
    depois.senha := coalesce(p_senha, antes.senha);
    depois.ativo := coalesce(p_ativo = 1, antes.ativo);
    IF (antes.papel, antes.senha, antes.ativo) IS DISTINCT FROM (depois.papel, depois.senha, depois.ativo) THEN
        depois.tokens_desde := usuario_nova_geracao(antes.tokens_desde);
    END IF;
    IF (depois.papel <> 'admin' OR NOT depois.ativo) AND antes.papel = 'admin' AND antes.ativo
       AND NOT EXISTS (SELECT 1 FROM usuarios WHERE papel = 'admin' AND ativo AND id <> p_id) THEN
        RETURN NEXT usuario_situacao('ultimo_admin', NULL);
        RETURN;
    END IF;
    UPDATE usuarios SET nome = depois.nome, papel = depois.papel, senha = depois.senha, ativo = depois.ativo,
                        tokens_desde = depois.tokens_desde
     WHERE id = p_id;
    RETURN NEXT usuario_situacao('ok', depois);
END $$;
COMMENT ON FUNCTION usuario_mudar(bigint, bigint, bigint, text, text, text, bigint) IS 'PATCH /api/usuarios/{id}';

CREATE FUNCTION usuario_remover(p_ator bigint, p_geracao bigint, p_id bigint) RETURNS SETOF usuario_resposta
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    antes usuarios;
BEGIN
    LOCK TABLE usuarios IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO antes FROM usuarios WHERE id = p_id;
    IF NOT usuario_ator_vale(p_ator, p_geracao) THEN
        RETURN NEXT usuario_situacao('ator', NULL);
    ELSIF antes.id IS NULL THEN
        RETURN NEXT usuario_situacao('ausente', NULL);
    ELSIF antes.papel = 'admin' AND antes.ativo
          AND NOT EXISTS (SELECT 1 FROM usuarios WHERE papel = 'admin' AND ativo AND id <> p_id) THEN
        RETURN NEXT usuario_situacao('ultimo_admin', NULL);
    ELSE
        DELETE FROM usuarios WHERE id = p_id;
        RETURN NEXT usuario_situacao('ok', antes);
    END IF;
END $$;
COMMENT ON FUNCTION usuario_remover(bigint, bigint, bigint) IS 'DELETE /api/usuarios/{id}';
