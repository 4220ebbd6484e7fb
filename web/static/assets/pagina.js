// Asks /status and /api/stats every three seconds, not while nobody looks, one question at a time.
"use strict";

const EVERY_MS = 3000;
const LIMIT_MS = 8000;
const numbers = new Intl.NumberFormat("pt-BR");
const at = (id) => document.getElementById(id);

// Written only when it differs: a screen reader tells of each change.
function write(id, text, state) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
  if (state) element.dataset.estado = state;
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) });
  return { ok: answer.ok, body: await answer.json() };
}

function showServer(id, word) {
  write(id, word || "sem notícia", word === "conectado" ? "bom" : word ? "mau" : "espera");
}

async function showStatus() {
  try {
    const { ok, body } = await ask("/status");
    const answered = "banco_dados" in body;
    write("api", answered ? "responde" : "não responde", answered ? "bom" : "mau");
    showServer("banco_dados", body.banco_dados);
    showServer("cache", body.cache);
    write("geral", ok ? "tudo no ar" : answered ? "degradado" : "fora do ar", ok ? "bom" : "mau");
    if (answered) write("quando", new Date(body.timestamp).toLocaleTimeString("pt-BR"));
  } catch {
    write("api", "não responde", "mau");
    showServer("banco_dados");
    showServer("cache");
    write("geral", "fora do ar", "mau");
  }
}

async function showStats() {
  try {
    const { ok, body } = await ask("/api/stats");
    for (const id of ["total_posts", "total_requisicoes"]) {
      write(id, ok && Number.isFinite(body[id]) ? numbers.format(body[id]) : "–");
    }
  } catch {
    write("total_posts", "–");
    write("total_requisicoes", "–");
  }
}

async function refresh() {
  if (!document.hidden) await Promise.all([showStatus(), showStats()]);
  setTimeout(refresh, EVERY_MS);
}

refresh();
