#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

// `struct timeval` differs between systems, and its fields are of other types.
static inline struct timeval spw_timeval(long long microseconds) {
    struct timeval value;
    value.tv_sec = microseconds / 1000000;
    value.tv_usec = microseconds % 1000000;
    return value;
}

/// NULL when there is no memory; otherwise look at `err`.
static inline redisContext *spw_redis_connect(const char *host, int port, long long timeout) {
    return redisConnectWithTimeout(host, port, spw_timeval(timeout));
}

static inline int spw_redis_set_timeout(redisContext *context, long long timeout) {
    return redisSetTimeout(context, spw_timeval(timeout));
}

/// NULL when the connection is of no use any more; then `errstr` says why.
static inline redisReply *spw_redis_command(
    redisContext *context, int count, const char **words, const size_t *lengths
) {
    return (redisReply *)redisCommandArgv(context, count, words, lengths);
}

static inline void spw_redis_free(redisReply *reply) { freeReplyObject(reply); }

static inline const redisReply *spw_redis_element(const redisReply *reply, size_t index) {
    return reply->element[index];
}

static inline const char *spw_redis_problem(const redisContext *context) { return context->errstr; }
