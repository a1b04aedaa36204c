#ifndef SPW_METRICS_H
#define SPW_METRICS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Reads pages of metrics in the text format of Prometheus (exposition format 0.0.4) for the few names that engines and GPUs
/// give their load. Memory is read once, line by line, and nothing is allocated.
///
/// Nearly every line of a page is a bucket of a histogram. Such a line is rejected by its first letter, its prefix and the first
/// letter of what follows, so that to find its end costs more than to reject it. Only lines of a wanted name are looked at
/// further.
typedef enum {
    // What an engine says, each of them with a sum in spw_engine_load.
    SPW_WAITING,
    SPW_RUNNING,
    SPW_KV_USE,
    SPW_BLOCK_SIZE,
    SPW_BLOCKS,
    SPW_BLOCKS_USED,
    SPW_PREFIX_QUERIES,
    SPW_PREFIX_HITS,
    SPW_HIT_RATE,
    SPW_PREEMPTIONS,
    SPW_LOADS,
    // Names whose labels say what they are.
    SPW_CACHE_INFO = SPW_LOADS,
    SPW_TRTLLM_REQUESTS,
    SPW_TRTLLM_BLOCKS,
    SPW_ENGINE_FIELDS,
    // What a GPU says.
    SPW_XID = SPW_ENGINE_FIELDS,
    SPW_XID_COUNT,
    SPW_ROW_REMAP_FAILURE,
    SPW_TEMPERATURE,
    SPW_MEMORY_FREE_MIB,
    SPW_MEMORY_USED_MIB,
    SPW_UTILISATION_PERCENT,
    SPW_MEMORY_USED_BYTES,
    SPW_UTILISATION,
    SPW_FIELDS
} spw_metric_field;

/// Labels that mean something here.
typedef enum {
    SPW_LABEL_MODEL,
    SPW_LABEL_DP_RANK,
    SPW_LABEL_TP_RANK,
    SPW_LABEL_BLOCK_SIZE,
    SPW_LABEL_BLOCKS,
    SPW_LABEL_KIND,
    SPW_LABEL_XID,
    SPW_LABEL_GPU,
    SPW_LABEL_UUID,
    SPW_LABEL_PRIORITY,
    SPW_LABELS
} spw_metric_label;

/// Bytes within the page; a null start where there are none.
typedef struct {
    const uint8_t *start;
    size_t length;
} spw_bytes;

/// One line of a wanted name.
typedef struct {
    spw_metric_field field;
    uint32_t rank;      ///< among the names of a field: the lowest counts, others tell the same again
    bool is_readable;   ///< the value is a number
    bool has_labels;    ///< the labels could be read
    double value;
    spw_bytes labels[SPW_LABELS]; ///< as they are written, with their escapes
} spw_sample;

static inline spw_bytes spw_sample_label(const spw_sample *sample, spw_metric_label label) { return sample->labels[label]; }

/// Where a page is read. Begin with {start, end of the page, first and past the last wanted field}.
typedef struct {
    const uint8_t *at, *end;
    uint32_t first, last;
} spw_metrics;

/// Finds the next line of a wanted name; false at the end of the page.
///
/// A line without its end is not readable: whoever cut it may have cut its number.
bool spw_metrics_next(spw_metrics *page, spw_sample *sample);

/// Reads a number at `*at` and moves past it: digits with a point and an exponent, or NaN or Inf; false when none is there.
///
/// Exact for up to 2⁵³ with a power of ten up to 22, else to within a few units in the last place.
bool spw_number(const uint8_t **at, const uint8_t *end, double *value);

/// Whether a label has this value, once its escapes are undone.
bool spw_label_equals(spw_bytes label, const uint8_t *text, size_t length);

/// The number that a label holds; NaN when it holds none.
double spw_label_number(spw_bytes label);

/// Sums over the engines of a page.
typedef struct {
    double sums[SPW_LOADS];
    uint32_t counts[SPW_LOADS];
    uint32_t ranks[SPW_LOADS];
    uint64_t copies[SPW_LOADS]; ///< data-parallel ranks that were counted, of engines that tell each of their processes apart
    uint64_t unreadable;        ///< wanted lines that were malformed or out of range
} spw_engine_load;

/// Reads a page of an engine; of several models only `model`, all when it is null.
void spw_engine_load_read(
    spw_engine_load *load, const uint8_t *page, size_t length, const uint8_t *model, size_t model_length);

/// The sum of a field over engines, or the mean of a share; NaN when nothing was said.
double spw_engine_load_value(const spw_engine_load *load, spw_metric_field field);

/// A value as a field may have it, NaN when it is out of range.
double spw_metric_in_range(spw_metric_field field, double value);

#endif
