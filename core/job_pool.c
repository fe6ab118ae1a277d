#include "core/job_pool.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    struct pool_job *first, **end;
};

struct job_pool {
    pthread_mutex_t mutex; /* guards the queues, idle, n_waiting and stopping */
    pthread_cond_t wake;
    struct queue waiting, finished;
    size_t idle, n_waiting;
    bool stopping;
    uv_async_t async;
    pthread_t *threads;
    size_t n_threads, max, busy; /* the loop's thread only */
};

static void put(struct queue *q, struct pool_job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct pool_job *take(struct queue *q)
{
    struct pool_job *job = q->first;
    if (!job) return NULL;
    q->first = job->next;
    if (!q->first) q->end = &q->first;
    return job;
}

static struct pool_job *wait_for_job(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct pool_job *job;
    pool->idle++;
    while (!(job = take(&pool->waiting)) && !pool->stopping) pthread_cond_wait(&pool->wake, &pool->mutex);
    pool->idle--;
    pool->n_waiting -= job != NULL;
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void *thread_main(void *arg)
{
    struct job_pool *pool = arg;
    struct pool_job *job;
    while ((job = wait_for_job(pool))) {
        job->work(job);
        pthread_mutex_lock(&pool->mutex);
        put(&pool->finished, job);
        pthread_mutex_unlock(&pool->mutex);
        uv_async_send(&pool->async);
    }
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct job_pool *pool = async->data;
    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        struct pool_job *job = take(&pool->finished);
        pthread_mutex_unlock(&pool->mutex);
        if (!job) return;
        pool->busy--;
        job->done(job);
    }
}

struct job_pool *job_pool_new(uv_loop_t *loop, size_t max)
{
    struct job_pool *pool = mem_calloc(1, sizeof *pool);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->waiting.end = &pool->waiting.first;
    pool->finished.end = &pool->finished.first;
    pool->max = max ? max : 1;
    pool->threads = mem_calloc(pool->max, sizeof *pool->threads);
    pool->async.data = pool;
    uv_async_init(loop, &pool->async, on_async);
    return pool;
}

void job_pool_add(struct job_pool *pool, struct pool_job *job)
{
    pthread_mutex_lock(&pool->mutex);
    put(&pool->waiting, job);
    pool->busy++;
    bool more = pool->idle < ++pool->n_waiting && pool->n_threads < pool->max;
    pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    if (more && pthread_create(&pool->threads[pool->n_threads], NULL, thread_main, pool) == 0) pool->n_threads++;
}

size_t job_pool_busy(const struct job_pool *pool)
{
    return pool->busy;
}

static void on_closed(uv_handle_t *handle)
{
    struct job_pool *pool = handle->data;
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->threads);
    free(pool);
}

void job_pool_free(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->n_threads; i++) pthread_join(pool->threads[i], NULL);
    uv_close((uv_handle_t *)&pool->async, on_closed); /* the loop must turn once more */
}
