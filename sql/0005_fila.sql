-- What retries, pauses and the archive's headers need. Rows of `entregas` that are 'pendente' are the worker's
-- second queue: deliveries that the API wrote itself, those that failed and wait for their next attempt, and
-- those that an operator sends again.

ALTER TABLE entregas
    ADD COLUMN proxima_em timestamptz DEFAULT now(),
    ADD COLUMN assinatura text,
    ADD COLUMN agente text;

-- An index to claim by, in the order in which they are due; what is not due yet is not even looked at.
CREATE INDEX entregas_a_fazer ON entregas (proxima_em, id) WHERE estado = 'pendente';
DROP INDEX entregas_pendentes;

COMMENT ON COLUMN entregas.proxima_em IS 'While pendente: not to be tried before; else of no meaning';
COMMENT ON COLUMN entregas.assinatura IS 'X-Hub-Signature-256 as it came: who has the secret can check the bytes again';
COMMENT ON COLUMN entregas.agente IS 'User-Agent as it came';
COMMENT ON INDEX entregas_a_fazer IS 'What the worker has to do, in the order in which it is due';

CREATE TABLE fila_controle (
    unica boolean PRIMARY KEY DEFAULT true CHECK (unica),
    pausada_em timestamptz,
    pausada_por text
);
INSERT INTO fila_controle DEFAULT VALUES;

COMMENT ON TABLE fila_controle IS 'One row: whether the workers are to rest. The intake goes on';
COMMENT ON COLUMN fila_controle.pausada_em IS 'Since when; NULL: they work';
COMMENT ON COLUMN fila_controle.pausada_por IS 'Who asked for it';
