/* news: owns what waits to be told. */
#include "news.h"

#include <inttypes.h>

#include "batch.h"
#include "jsonput.h"
#include "rds.h"
#include "store_ao_vivo.h"

enum {
    IDS_CAP = NEWS_NAMED_MAX * 24,
    ROWS_CAP = AO_VIVO_ENTRY_MAX - IDS_CAP - 512 /* the counts, and the names of the members */
};

void news_init(struct news *news, struct rds *rds)
{
    *news = (struct news){.rds = rds, .ids = buf_init(IDS_CAP), .rows = buf_init(ROWS_CAP)};
}

void news_release(struct news *news)
{
    buf_release(&news->ids);
    buf_release(&news->rows);
}

/* ---- gathering ---- */

/* One of the stream has no id that the worker knows. */
static void name_delivery(struct news *news, int64_t id)
{
    if (id == 0 || news->n_ids == NEWS_NAMED_MAX)
        return;
    buf_printf(&news->ids, "%s%" PRId64, news->n_ids ? "," : "", id);
    news->n_ids++;
}

static void put_id(struct buf *b, const char *member, struct pg_text id)
{
    buf_str(b, member);
    if (id.data)
        jsonput_string(b, id.data, id.len);
    else
        buf_lit(b, "null");
}

/* What finds no room is only counted. */
static void name_lead(struct news *news, const struct new_lead *lead)
{
    struct buf *b = &news->rows;
    size_t before = b->len;
    if (news->n_leads == NEWS_NAMED_MAX)
        return;
    buf_str(b, news->n_leads ? "," : "");
    put_id(b, "{\"leadgen_id\":", lead->leadgen_id);
    put_id(b, ",\"formulario_id\":", lead->formulario_id);
    put_id(b, ",\"pagina_id\":", lead->pagina_id);
    buf_printf(b, ",\"teste\":%s}", lead->teste ? "true" : "false");
    if (buf_failed(b)) {
        b->failed = false;
        b->len = before;
        return;
    }
    news->n_leads++;
}

static void add_leads(struct news *news, const struct job_rows *rows, size_t from, size_t to)
{
    news->leads += to - from;
    for (size_t i = from; i < to; i++)
        name_lead(news, &rows->leads[i]);
}

void news_add(struct news *news, const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct new_entrega *d = &b->entregas[i];
        if (d->left)
            continue;
        news->done += !d->motivo;
        news->postponed += d->motivo && d->espera_us > 0;
        news->dead += d->motivo && d->espera_us == 0;
        name_delivery(news, d->id);
        if (!d->motivo) /* what failed has no rows */
            add_leads(news, &b->rows, i > 0 ? b->entregas[i - 1].leads_end : 0, d->leads_end);
    }
}

/* ---- telling ---- */

static void put_deliveries(const struct news *news, struct buf *b)
{
    buf_printf(b, "{\"processadas\":%zu,\"mortas\":%zu,\"adiadas\":%zu,\"ids\":[", news->done,
               news->dead, news->postponed);
    buf_add(b, news->ids.data, news->ids.len);
    buf_lit(b, "]}");
}

static void put_leads(const struct news *news, struct buf *b)
{
    buf_printf(b, "{\"quantos\":%zu,\"leads\":[", news->leads);
    buf_add(b, news->rows.data, news->rows.len);
    buf_lit(b, "]}");
}

static void publish(const struct news *news)
{
    struct buf b = buf_init(AO_VIVO_ENTRY_MAX);
    put_deliveries(news, &b);
    size_t split = b.len;
    if (news->leads > 0)
        put_leads(news, &b);
    const struct ao_vivo_field fields[] = {{"entrega", b.data, split},
                                           {"lead", b.data + split, b.len - split}};
    if (!buf_failed(&b))
        store_ao_vivo_publish(news->rds, fields, news->leads > 0 ? 2 : 1);
    buf_release(&b);
}

void news_pump(struct news *news, int64_t now_ms)
{
    size_t waiting = news->done + news->dead + news->postponed;
    if (waiting == 0 || now_ms - news->sent_ms < NEWS_EVERY_MS)
        return;
    publish(news);
    news->sent_ms = now_ms;
    news->done = news->dead = news->postponed = news->leads = 0;
    news->n_ids = news->n_leads = 0;
    buf_reset(&news->ids);
    buf_reset(&news->rows);
}
