#include "spw_metrics.h"
#include <math.h>
#include <string.h>

/// The largest value that a field may have; the smallest is 0. What is above is no load but noise.
static double largest(spw_metric_field field) {
    switch (field) {
    case SPW_WAITING:
    case SPW_RUNNING: return 1e9;
    case SPW_KV_USE:
    case SPW_HIT_RATE: return 1;
    case SPW_BLOCK_SIZE: return 1e6;
    case SPW_BLOCKS:
    case SPW_BLOCKS_USED: return 1e12;
    default: return 0x1p53;
    }
}

double spw_metric_in_range(spw_metric_field field, double value) {
    double most = largest(field);
    // A share that was rounded up.
    if (most == 1 && value > 1 && value <= 1.001) value = 1;
    double least = field == SPW_BLOCK_SIZE ? 1 : 0;
    // 0 is added so that it is not −0.
    return value >= least && value <= most ? value + 0.0 : NAN;
}

/// Behind all ranks of names.
#define SPW_RANK_OF_PART 16

static void add(spw_engine_load *load, const spw_sample *sample, spw_metric_field field, double value) {
    value = spw_metric_in_range(field, value);
    if (isnan(value)) {
        load->unreadable++;
        return;
    }
    // SGLang tells the requests of each priority beside those of all, whose priority is empty.
    bool is_part = sample->labels[SPW_LABEL_PRIORITY].length > 0;
    uint32_t rank = sample->rank + (is_part ? SPW_RANK_OF_PART : 0);
    if (load->counts[field] && rank > load->ranks[field]) return;
    if (load->counts[field] && rank < load->ranks[field]) {
        load->sums[field] = 0;
        load->counts[field] = 0;
        load->copies[field] = 0;
    }
    // SGLang may let every process of one engine speak: those of one data-parallel rank say the same.
    if (sample->labels[SPW_LABEL_TP_RANK].start && !is_part) {
        double engine = spw_label_number(sample->labels[SPW_LABEL_DP_RANK]);
        uint64_t bit = UINT64_C(1) << (engine >= 0 && engine < 64 ? (int)engine : 0);
        if (engine < 64 || isnan(engine)) {
            if (load->copies[field] & bit) return;
            load->copies[field] |= bit;
        }
    }
    load->ranks[field] = rank;
    load->counts[field]++;
    // Blocks are as large in all engines, whatever their number.
    if (field == SPW_BLOCK_SIZE) load->sums[field] = fmax(load->sums[field], value);
    else load->sums[field] += value;
}

static bool kind_is(const spw_sample *sample, const char *kind) {
    return spw_label_equals(sample->labels[SPW_LABEL_KIND], (const uint8_t *)kind, strlen(kind));
}

/// A size that is told by a label; "None" and the like mean that it is not known yet.
static void add_label(spw_engine_load *load, const spw_sample *sample, spw_metric_label label, spw_metric_field field) {
    double value = spw_label_number(sample->labels[label]);
    if (!isnan(value)) add(load, sample, field, value);
}

static void add_sample(spw_engine_load *load, const spw_sample *sample) {
    double value = sample->value;
    switch (sample->field) {
    case SPW_CACHE_INFO:
        add_label(load, sample, SPW_LABEL_BLOCK_SIZE, SPW_BLOCK_SIZE);
        add_label(load, sample, SPW_LABEL_BLOCKS, SPW_BLOCKS);
        break;
    case SPW_TRTLLM_REQUESTS:
        if (kind_is(sample, "waiting")) add(load, sample, SPW_WAITING, value);
        else if (kind_is(sample, "scheduled")) add(load, sample, SPW_RUNNING, value);
        break;
    case SPW_TRTLLM_BLOCKS:
        if (kind_is(sample, "fraction")) add(load, sample, SPW_KV_USE, value);
        else if (kind_is(sample, "tokens_per")) add(load, sample, SPW_BLOCK_SIZE, value);
        else if (kind_is(sample, "max")) add(load, sample, SPW_BLOCKS, value);
        else if (kind_is(sample, "used")) add(load, sample, SPW_BLOCKS_USED, value);
        break;
    default: add(load, sample, sample->field, value);
    }
}

void spw_engine_load_read(
    spw_engine_load *load, const uint8_t *page, size_t length, const uint8_t *model, size_t model_length
) {
    *load = (spw_engine_load){0};
    spw_metrics lines = {page, page + length, 0, SPW_ENGINE_FIELDS};
    spw_sample sample;
    while (spw_metrics_next(&lines, &sample)) {
        spw_bytes label = sample.labels[SPW_LABEL_MODEL];
        if (model && sample.has_labels && label.start && !spw_label_equals(label, model, model_length)) continue;
        if (sample.is_readable) add_sample(load, &sample);
        else load->unreadable++;
    }
}

double spw_engine_load_value(const spw_engine_load *load, spw_metric_field field) {
    if (field == SPW_KV_USE && !load->counts[field] && load->counts[SPW_BLOCKS_USED] && load->sums[SPW_BLOCKS] > 0)
        return fmin(1, load->sums[SPW_BLOCKS_USED] / load->sums[SPW_BLOCKS]);
    if (!load->counts[field]) return NAN;
    bool is_share = field == SPW_KV_USE || field == SPW_HIT_RATE;
    return load->sums[field] / (is_share ? load->counts[field] : 1);
}
