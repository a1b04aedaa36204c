#include "spw_metrics.h"
#include <string.h>

typedef struct {
    const char *text;
    uint8_t length, field, rank;
    bool is_counter; ///< may end in _total
} name;

typedef struct {
    const char *prefix;
    uint8_t length;
    uint32_t letters; ///< with which its names begin, a bit for each
    const name *names;
    uint32_t count;
} family;

#define NAME(text, field, rank) {text, sizeof text - 1, field, rank, false}
#define COUNTER(text, field, rank) {text, sizeof text - 1, field, rank, true}
#define LETTER(letter) (UINT32_C(1) << (letter & 31))
#define FAMILY(prefix, letters, names) {prefix, sizeof prefix - 1, letters, names, sizeof names / sizeof names[0]}

// Ranks are even: a counter without its _total has the odd one behind it.

// vLLM's metrics/loggers.py; the names with gpu_ are older ones, and some releases send both.
static const name vllm_names[] = {
    NAME("num_requests_waiting", SPW_WAITING, 0),
    NAME("num_requests_running", SPW_RUNNING, 0),
    NAME("kv_cache_usage_perc", SPW_KV_USE, 0),
    NAME("gpu_cache_usage_perc", SPW_KV_USE, 2),
    NAME("cache_config_info", SPW_CACHE_INFO, 2),
    COUNTER("prefix_cache_queries", SPW_PREFIX_QUERIES, 0),
    COUNTER("gpu_prefix_cache_queries", SPW_PREFIX_QUERIES, 2),
    COUNTER("prefix_cache_hits", SPW_PREFIX_HITS, 0),
    COUNTER("gpu_prefix_cache_hits", SPW_PREFIX_HITS, 2),
    NAME("gpu_prefix_cache_hit_rate", SPW_HIT_RATE, 0),
    COUNTER("num_preemptions", SPW_PREEMPTIONS, 0),
};
// SGLang's observability/metrics_collector.py; before 0.5.11 the sizes were labels.
static const name sglang_names[] = {
    NAME("num_queue_reqs", SPW_WAITING, 0),     NAME("num_running_reqs", SPW_RUNNING, 0),
    NAME("token_usage", SPW_KV_USE, 0),         NAME("page_size", SPW_BLOCK_SIZE, 0),
    NAME("num_pages", SPW_BLOCKS, 0),           NAME("cache_config_info", SPW_CACHE_INFO, 2),
    NAME("cache_hit_rate", SPW_HIT_RATE, 0),
};
static const name trtllm_names[] = {
    NAME("num_requests_waiting", SPW_WAITING, 0),
    NAME("num_requests_running", SPW_RUNNING, 0),
    NAME("kv_cache_utilization", SPW_KV_USE, 0),
    NAME("kv_cache_tokens_per_block", SPW_BLOCK_SIZE, 0),
    NAME("kv_cache_max_blocks", SPW_BLOCKS, 0),
    NAME("kv_cache_used_blocks", SPW_BLOCKS_USED, 0),
    NAME("kv_cache_hit_rate", SPW_HIT_RATE, 0),
};
// llama.cpp's server; the ratio was dropped in 2025.
static const name llamacpp_names[] = {
    NAME("requests_deferred", SPW_WAITING, 0),
    NAME("requests_processing", SPW_RUNNING, 0),
    NAME("kv_cache_usage_ratio", SPW_KV_USE, 0),
    COUNTER("prompt_tokens_cached", SPW_PREFIX_HITS, 0),
};
static const name tgi_names[] = {
    NAME("queue_size", SPW_WAITING, 0),
    NAME("batch_current_size", SPW_RUNNING, 0),
};
// Triton; what its TensorRT-LLM backend says of itself comes first.
static const name triton_names[] = {
    NAME("trt_llm_request_metrics", SPW_TRTLLM_REQUESTS, 0),
    NAME("trt_llm_kv_cache_block_metrics", SPW_TRTLLM_BLOCKS, 0),
    NAME("inference_pending_request_count", SPW_WAITING, 4),
    NAME("gpu_utilization", SPW_UTILISATION, 0),
    NAME("gpu_memory_used_bytes", SPW_MEMORY_USED_BYTES, 0),
};
static const name dcgm_names[] = {
    NAME("FI_DEV_XID_ERRORS", SPW_XID, 0),
    NAME("EXP_XID_ERRORS_COUNT", SPW_XID_COUNT, 0),
    NAME("FI_DEV_ROW_REMAP_FAILURE", SPW_ROW_REMAP_FAILURE, 0),
    NAME("FI_DEV_GPU_TEMP", SPW_TEMPERATURE, 0),
    NAME("FI_DEV_FB_FREE", SPW_MEMORY_FREE_MIB, 0),
    NAME("FI_DEV_FB_USED", SPW_MEMORY_USED_MIB, 0),
    NAME("FI_DEV_GPU_UTIL", SPW_UTILISATION_PERCENT, 0),
};

static const family vllm = FAMILY(
    "vllm", LETTER('n') | LETTER('k') | LETTER('g') | LETTER('c') | LETTER('p'), vllm_names);
static const family sglang = FAMILY(
    "sglang", LETTER('n') | LETTER('t') | LETTER('p') | LETTER('c'), sglang_names);
static const family trtllm = FAMILY("trtllm", LETTER('n') | LETTER('k'), trtllm_names);
static const family llamacpp = FAMILY("llamacpp", LETTER('r') | LETTER('k') | LETTER('p'), llamacpp_names);
static const family tgi = FAMILY("tgi", LETTER('q') | LETTER('b'), tgi_names);
static const family triton = FAMILY("nv", LETTER('t') | LETTER('i') | LETTER('g'), triton_names);
static const family dcgm = FAMILY("DCGM", LETTER('F') | LETTER('E'), dcgm_names);

static inline bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }
static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }
static inline bool is_name(uint8_t byte) {
    return (uint8_t)((byte | 0x20) - 'a') < 26 || is_digit(byte) || byte == '_' || byte == ':';
}
static inline const uint8_t *past_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

/// The family that a line may be of.
static inline const family *family_of(const uint8_t *line, const uint8_t *end) {
    if (end - line < 10) return NULL;
    switch (line[0]) {
    case 'v': return &vllm;
    case 's': return &sglang;
    case 'l': return &llamacpp;
    case 't': return line[1] == 'g' ? &tgi : &trtllm;
    case 'n': return &triton;
    case 'D': return &dcgm;
    default: return NULL;
    }
}

/// Where the name ends if it is a wanted one, else null.
static inline const uint8_t *match(const spw_metrics *page, const uint8_t *line, const uint8_t *end, spw_sample *sample) {
    const family *family = family_of(line, end);
    if (!family || end - line < family->length + 2) return NULL;
    const uint8_t *rest = line + family->length;
    // Some collectors write an underscore for the colon.
    if ((*rest != ':' && *rest != '_') || !(family->letters & LETTER(rest[1]))) return NULL;
    if (memcmp(line, family->prefix, family->length) != 0) return NULL;
    rest++;
    size_t left = (size_t)(end - rest);
    for (uint32_t i = 0; i < family->count; i++) {
        const name *name = &family->names[i];
        if (left < name->length || rest[0] != (uint8_t)name->text[0]) continue;
        const uint8_t *tail = rest + name->length;
        if (tail < end && is_name(*tail) && !(name->is_counter && *tail == '_')) continue;
        if (memcmp(rest, name->text, name->length) != 0) continue;
        bool is_total = name->is_counter && end - tail >= 6 && memcmp(tail, "_total", 6) == 0;
        if (is_total) tail += 6;
        if ((tail < end && is_name(*tail)) || name->field < page->first || name->field >= page->last) return NULL;
        sample->field = name->field;
        sample->rank = name->rank + (name->is_counter && !is_total);
        return tail;
    }
    return NULL;
}

static void note_label(spw_sample *sample, const uint8_t *key, size_t length, spw_bytes value) {
    static const struct {
        const char *text;
        uint8_t length, label;
    } known[] = {
#define LABEL(text, label) {text, sizeof text - 1, label}
        LABEL("model_name", SPW_LABEL_MODEL),   LABEL("model", SPW_LABEL_MODEL),
        LABEL("dp_rank", SPW_LABEL_DP_RANK),    LABEL("tp_rank", SPW_LABEL_TP_RANK),
        LABEL("block_size", SPW_LABEL_BLOCK_SIZE), LABEL("page_size", SPW_LABEL_BLOCK_SIZE),
        LABEL("num_gpu_blocks", SPW_LABEL_BLOCKS), LABEL("num_pages", SPW_LABEL_BLOCKS),
        LABEL("request_type", SPW_LABEL_KIND),  LABEL("kv_cache_block_type", SPW_LABEL_KIND),
        LABEL("xid", SPW_LABEL_XID),            LABEL("gpu", SPW_LABEL_GPU),
        LABEL("UUID", SPW_LABEL_UUID),          LABEL("gpu_uuid", SPW_LABEL_UUID),
        LABEL("priority", SPW_LABEL_PRIORITY),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].length != length || memcmp(known[i].text, key, length) != 0) continue;
        sample->labels[known[i].label] = value;
        return;
    }
}

/// Reads labels from the brace on; where they end, null when they are malformed.
static const uint8_t *read_labels(const uint8_t *at, const uint8_t *end, spw_sample *sample) {
    at = past_blanks(at + 1, end);
    while (at < end && *at != '}') {
        const uint8_t *key = at;
        while (at < end && is_name(*at)) at++;
        size_t length = (size_t)(at - key);
        at = past_blanks(at, end);
        if (length == 0 || at == end || *at != '=') return NULL;
        at = past_blanks(at + 1, end);
        if (at == end || *at != '"') return NULL;
        const uint8_t *value = ++at;
        while (at < end && *at != '"') at += *at == '\\' && end - at > 1 ? 2 : 1;
        if (at == end) return NULL;
        note_label(sample, key, length, (spw_bytes){value, (size_t)(at - value)});
        at = past_blanks(at + 1, end);
        if (at < end && *at == ',') at = past_blanks(at + 1, end);
        else if (at == end || *at != '}') return NULL;
    }
    return at < end ? at + 1 : NULL;
}

/// Whether a line may end as it does after its value: with a time, and with an exemplar, or with nothing.
static bool is_tail(const uint8_t *at, const uint8_t *end) {
    if (at == end) return true;
    if (!is_blank(*at)) return false;
    at = past_blanks(at, end);
    double time;
    if (at < end && *at != '#' && !spw_number(&at, end, &time)) return false;
    at = past_blanks(at, end);
    return at == end || *at == '#';
}

static void read_sample(const uint8_t *at, const uint8_t *end, spw_sample *sample) {
    at = past_blanks(at, end);
    if (at < end && *at == '{') at = read_labels(at, end, sample);
    else if (at == end || !is_blank(at[-1])) at = NULL;
    sample->has_labels = at != NULL;
    if (!at) return;
    at = past_blanks(at, end);
    sample->is_readable = spw_number(&at, end, &sample->value) && is_tail(at, end);
}

bool spw_metrics_next(spw_metrics *page, spw_sample *sample) {
    while (page->at < page->end) {
        const uint8_t *line = page->at;
        const uint8_t *newline = memchr(line, '\n', (size_t)(page->end - line));
        const uint8_t *end = newline ? newline : page->end;
        page->at = newline ? newline + 1 : page->end;
        if (is_blank(*line)) line = past_blanks(line, end);
        const uint8_t *tail = match(page, line, end, sample);
        if (!tail) continue;
        sample->is_readable = sample->has_labels = false;
        memset(sample->labels, 0, sizeof sample->labels);
        while (end > tail && (end[-1] == '\r' || is_blank(end[-1]))) end--;
        if (newline) read_sample(tail, end, sample);
        return true;
    }
    return false;
}
