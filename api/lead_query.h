/* lead_query: which leads a request asks for: the parameters that /api/leads and /api/leads.csv
 * share. */
#ifndef ALICERCE_LEAD_QUERY_H
#define ALICERCE_LEAD_QUERY_H

#include "request.h"
#include "store_leads.h"

/* pagina, formulario, desde, ate, estado, busca. STATUS_OK, or the refusal. The texts are the
 * request's. */
enum status lead_query(struct request *r, struct leads_filter *ret);

#endif
