-- What an event is about, in which state that is, and whose it is; and of events with one key the newest stays.
-- All of it is NULL for leads, which come in the largest numbers: their rows and indexes cost what they did.

ALTER TABLE eventos
    ADD COLUMN assunto text COLLATE "C",
    ADD COLUMN estado text,
    ADD COLUMN ordem smallint,
    ADD COLUMN contato text;

CREATE INDEX eventos_assunto ON eventos (assunto) WHERE assunto IS NOT NULL;

COMMENT ON COLUMN eventos.entrega_id IS 'The delivery that brought it first, also when a later one brought a newer state';
COMMENT ON COLUMN eventos.chave IS
    'What the update is, unique; docs/webhooks.md has the forms. A delivery that comes again adds nothing, '
    'and one with a later ocorrido_em replaces the content';
COMMENT ON COLUMN eventos.campo IS
    'Envelope "field": leadgen, feed, messages; of messaging and standby the event: message, reaction, read';
COMMENT ON COLUMN eventos.conteudo IS
    'The update, of WhatsApp one message, status or error with what belongs to it; '
    'NULL when jsonb cannot hold it: the delivery has the bytes';
COMMENT ON COLUMN eventos.assunto IS
    'What it is about: id of a message (wamid, mid), comment, post or media; NULL for leads and for keys that are hashes';
COMMENT ON COLUMN eventos.estado IS 'A WhatsApp status, or the verb: add, edited, remove, react, read; NULL for none';
COMMENT ON COLUMN eventos.ordem IS
    'Rank of a WhatsApp status: 1 sent, 2 failed, 3 delivered, 4 read, 5 played; NULL for all else';
COMMENT ON COLUMN eventos.contato IS 'Phone or user id of the person, not of the page or account; NULL for none';
COMMENT ON INDEX eventos_assunto IS 'All that happened to one message, comment or post';

-- DISTINCT ON the indexed column: a condition on wamid becomes one on the index.
CREATE VIEW mensagens AS
    SELECT DISTINCT ON (assunto) assunto AS wamid, estado, ordem, ocorrido_em, contato, entidade, conteudo, id AS evento_id
      FROM eventos
     WHERE assunto IS NOT NULL AND starts_with(chave, 'wamid:')
     ORDER BY assunto, ordem DESC NULLS LAST, ocorrido_em DESC NULLS LAST, id;

COMMENT ON VIEW mensagens IS
    'Each WhatsApp message in its present status: the highest rank, then the latest. It never goes backwards, in '
    'whatever order statuses arrive; estado is NULL for one of which no status is known, as those that came in. '
    'In a group it is that of whoever is furthest';
