/* handlers: what the tables of routes.c and batch.c name. A handler answers by way of reply_* and
 * returns the status, or joins a batch and returns STATUS_PENDING. */
#ifndef ALICERCE_HANDLERS_H
#define ALICERCE_HANDLERS_H

#include "batch.h"

enum status h_health(struct request *r);
enum status h_status(struct request *r);
enum status h_metrics(struct request *r);
enum status h_posts_list(struct request *r);
enum status h_posts_create(struct request *r);
enum status h_posts_cache(struct request *r);
enum status h_post(struct request *r);
enum status h_posts_replace(struct request *r);
enum status h_posts_patch(struct request *r);
enum status h_posts_remove(struct request *r);
enum status h_visit(struct request *r);
enum status h_counter_read(struct request *r);
enum status h_counter_add(struct request *r);
enum status h_live(struct request *r);
enum status h_samples(struct request *r);
enum status h_stats(struct request *r);
enum status h_sign_in(struct request *r);
enum status h_renew(struct request *r);
enum status h_sign_out(struct request *r);
enum status h_password_change(struct request *r);
enum status h_who_am_i(struct request *r);
enum status h_accounts(struct request *r);
enum status h_account(struct request *r);
enum status h_account_create(struct request *r);
enum status h_account_change(struct request *r);
enum status h_account_remove(struct request *r);
enum status h_deliveries(struct request *r);
enum status h_delivery(struct request *r);
enum status h_delivery_raw(struct request *r);
enum status h_events(struct request *r);
enum status h_event(struct request *r);
enum status h_delivery_test(struct request *r);
enum status h_replay(struct request *r);
enum status h_replay_jobs(struct request *r);
enum status h_replay_create(struct request *r);
enum status h_replay_job(struct request *r);
enum status h_replay_cancel(struct request *r);
enum status h_queue(struct request *r);
enum status h_queue_pause(struct request *r);
enum status h_queue_resume(struct request *r);
enum status h_audit(struct request *r);
enum status h_leads(struct request *r);
enum status h_leads_csv(struct request *r);
enum status h_lead(struct request *r);
enum status h_files(struct request *r);
enum status h_file(struct request *r);
enum status h_file_create(struct request *r);
enum status h_file_remove(struct request *r);
enum status h_webhook_verify(struct request *r);
enum status h_webhook(struct request *r);

/* Ends exports whose token has ended. */
void leads_exports_tick(struct loop *loop, int64_t now_ms);

extern const struct batch_type batch_status, batch_page, batch_search, batch_post, batch_create,
    batch_change, batch_cache, batch_visit, batch_counter, batch_stats, batch_webhook, batch_direct,
    batch_queue, batch_own;

#ifdef PLANT_JOIN_SENT
void page_follow(struct batch *b, struct request *r);
#endif

#endif
