"""The API and the worker are killed amid a job that sends deliveries again: each is processed once, and the job's
counts are right."""
import time

from case import eventually
import deliveries
from faultcase import FaultCase
import tokens

N, BAD = 2000, 5


class JobLost(FaultCase):
    options = {**FaultCase.options, "env": {**FaultCase.options["env"], **tokens.ENV}}

    def setUp(self):
        answer = self.post("/api/auth/login", {"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD})
        self.head = {"Authorization": "Bearer " + self.assertStatus(answer, 200).json["token"]}

    def archive(self, base):
        """Dead letters: N with a lead each, BAD that stay dead; oldest first."""
        before, after = deliveries.lead("LEADGEN").split(b"LEADGEN")
        self.stack.pg.query(
            "INSERT INTO entregas (recebida_em, via, corpo, estado, motivo, tentativas)"
            f" SELECT now() - interval '1 hour' + i * interval '1 ms', 'direta', CASE WHEN i > {N} THEN '\\x78'::bytea"
            f" ELSE '\\x{before.hex()}'::bytea || convert_to(({base} + i)::text, 'UTF8') || '\\x{after.hex()}'::bytea END,"
            f" 'morta', 'queda {base}', 3 FROM generate_series(1, {N + BAD}) i")

    def begin(self, base):
        self.archive(base)
        answer = self.post("/api/reenvios", {"estado": "morta", "motivo": f"queda {base}"}, headers=self.head)
        return self.assertStatus(answer, 202).json["id"]

    def job(self, job):
        columns = "estado, marcadas, processadas, mortas, por_fazer, erro"
        return tuple(self.stack.pg.query(f"SELECT {columns} FROM reenvios_pagina({job}, NULL, 1)")[0])

    def assertDone(self, job, base):
        self.assertTrue(eventually(lambda: self.job(job)[0] != "em_andamento", 90, 0.2), self.job(job))
        found = [str(v) for v in self.job(job)[:5]]
        self.assertEqual(found, ["concluido", str(N + BAD), str(N), str(BAD), "0"])
        span = f"BETWEEN {base + 1} AND {base + N}"
        self.assertEqual(self.stack.pg.value(
            f"SELECT count(*) FROM leads WHERE leadgen_id ~ '^[0-9]{{1,18}}$' AND leadgen_id::bigint {span}"), str(N))
        self.assertEqual(self.stack.pg.value(
            "SELECT count(*) FROM eventos WHERE chave ~ '^leadgen:[0-9]{1,18}$'"
            f" AND substr(chave, 9)::bigint {span}"), str(N))
        history = self.stack.pg.query(
            "SELECT h.acao, h.resultado, count(*), count(DISTINCT h.entrega_id) FROM entregas_historico h"
            f" JOIN entregas e ON e.id = h.entrega_id WHERE e.recebida_em < now() - interval '30 minutes'"
            f" AND e.id > {self.first} GROUP BY 1, 2 ORDER BY 1, 2")
        self.assertEqual([tuple(str(v) for v in row) for row in history],
                         [("reenvio", "pendente", str(N + BAD), str(N + BAD)), ("tentativa", "morta", str(BAD), str(BAD)),
                          ("tentativa", "processada", str(N), str(N))])

    def remember_first(self):
        self.first = self.stack.pg.value("SELECT coalesce(max(id), 0) FROM entregas")

    def test_the_worker_dies_several_times(self):
        self.remember_first()
        job = self.begin(81000000)
        amid = 0
        for _ in range(4):
            eventually(lambda: int(self.job(job)[2]) > 0, 20, 0.02)
            self.stack.worker.kill()
            state = self.job(job)
            amid += state[0] == "em_andamento" and 0 < int(state[2]) < N
            time.sleep(0.1)
            self.stack.worker.start()
            time.sleep(0.15)
        self.assertGreater(amid, 0, "the job was over before the first kill")
        self.assertDone(job, 81000000)

    def test_the_replica_that_took_it_dies_and_another_worker_helps(self):
        self.remember_first()
        second = self.stack.add_worker().start()
        try:
            job = self.begin(82000000)
            self.stack.apis[0].kill()
            eventually(lambda: int(self.job(job)[2]) > 0, 20, 0.02)
            second.kill()
            self.assertDone(job, 82000000)
            found = self.get(f"/api/reenvios/{job}", api=self.stack.apis[1], headers=self.head)
            self.assertEqual(self.assertStatus(found, 200).json["estado"], "concluido")
        finally:
            self.stack.workers.remove(second)
            second.kill()
            self.stack.apis[0].start()
            self.stack.apis[0].wait_serving()
